package main

import "github.com/ashlar-go/ashlar/transport/inproc"

func inProcess(served yard) (called yard, stop func() error, err error) {
	mux := new(inproc.Mux)
	mux.Handle(inproc.NewServer(cutSpec(), served.cut), inproc.NewStreamServer(watchSpec(), served.watch))

	if called.cut, err = inproc.NewClient[*Cut, *Block](cutSpec(), mux); err != nil {
		return called, nil, err
	}
	called.watch, err = inproc.NewStreamClient[*Cut, *Block](watchSpec(), mux)
	return called, nil, err
}
