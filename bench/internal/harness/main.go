package harness

import (
	"flag"
	"log"
	"os"
)

// Main is the main function of a command that does the work: it measures as the command line says, and prints the report.
func Main(work []Work, measure func(Config) (*Report, error)) {
	log.SetFlags(0)
	config, jsonFile := commandLine(flag.CommandLine, work)
	flag.Parse()
	report, err := measure(*config)
	if err != nil {
		log.Fatal(err)
	}
	if err := report.Print(os.Stdout); err != nil {
		log.Fatal(err)
	}
	if *jsonFile != "" {
		if err := report.Write(*jsonFile); err != nil {
			log.Fatal(err)
		}
	}
}
