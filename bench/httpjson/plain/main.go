// Command plain serves by net/http and encoding/json alone, as most people write it by hand. All ratios are to it.
package main

import (
	"encoding/json"
	"net/http"

	"github.com/ashlar-go/ashlar/bench/internal/contest"
	"github.com/ashlar-go/ashlar/bench/internal/model"
)

func main() {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /sum", sum)
	mux.HandleFunc("POST /orders", price)
	contest.Serve(mux)
}

func sum(w http.ResponseWriter, r *http.Request) {
	var request model.SumRequest
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(model.Sum(request))
}

func price(w http.ResponseWriter, r *http.Request) {
	var request model.Orders
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(model.Price(request))
}
