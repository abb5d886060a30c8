// Package plain serves by net/http and encoding/json alone, as most people write it by hand. All ratios are to it.
package plain

import (
	"encoding/json"
	"net/http"

	"github.com/ashlar-go/ashlar/bench/internal/model"
)

// Handler returns the handler of both operations.
func Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /sum", sum)
	mux.HandleFunc("POST /orders", price)
	return mux
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
