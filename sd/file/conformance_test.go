package file_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/ashlar-go/ashlar/sd"
	"github.com/ashlar-go/ashlar/sd/file"
	"github.com/ashlar-go/ashlar/sd/sdtest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "services")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := func(service string) string { return filepath.Join(dir, service+".json") }
	sdtest.Run(t, sdtest.Harness{
		Instancer: func(service string) (sd.Instancer, error) {
			if _, err := os.Stat(path(service)); os.IsNotExist(err) && away(dir) == nil {
				if err := replace(path(service), []byte("{}")); err != nil {
					return nil, err
				}
			}
			return file.NewInstancer(path(service), service)
		},
		Put: func(service string, instances ...sd.Instance) error {
			data, err := json.Marshal(map[string][]sd.Instance{service: instances, "others": {{Address: "x"}}})
			if err != nil {
				return err
			}
			return replace(path(service), data)
		},
		Outage: func() (restore func() error, err error) {
			return func() error { return os.Rename(dir+".away", dir) }, os.Rename(dir, dir+".away")
		},
		Differences: []sdtest.Difference{
			{Check: "Registrar", Reason: "people or tools write the file"},
			{Check: "Corrupt", Reason: "a file with an entry that is no instance is not used, and the last set stays whole"},
		},
	})
}

// away returns an error during the outage.
func away(dir string) error {
	_, err := os.Stat(dir)
	return err
}

// replace writes a file in one step.
func replace(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
