package file_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ashlar-go/ashlar/sd/file"
)

// The instances of a service stand in a file, which may change at any time.
func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "instances.json")
	const text = `{"orders": [{"address": "10.0.0.1:8080"}, {"id": "orders-2", "address": "10.0.0.2:8080", "weight": 2}]}`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		fmt.Println(err)
		return
	}

	instancer, err := file.NewInstancer(path, "orders")
	if err != nil {
		fmt.Println(err)
		return
	}
	for set, err := range instancer.Watch(context.Background()) {
		if err != nil {
			fmt.Println(err) // the last set stays in force
			continue
		}
		fmt.Println(set)
		break
	}
	// Output: [10.0.0.1:8080 orders-2@10.0.0.2:8080]
}
