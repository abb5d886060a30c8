package natstransport

import (
	"encoding/json"
	"fmt"
	"regexp"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
)

// semver is the expression that https://semver.org suggests, and that NATS micro services are held to.
var semver = regexp.MustCompile(`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)` +
	`(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?` +
	`(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?$`)

// checkIdentity refuses what is no name or no version of a NATS micro service.
func checkIdentity(name, version string) error {
	if name == "" || microName(name) != name {
		return fmt.Errorf("the name %q does not consist of letters, digits, - and _", name)
	}
	if !semver.MatchString(version) {
		return fmt.Errorf("the version %q is none of SemVer, such as 1.4.0", version)
	}
	return nil
}

// watch answers those who ask NATS for its services: the protocol is ADR-32 of NATS, "Service API".
func (s *Service) watch() error {
	for verb, answer := range map[micro.Verb]func() any{micro.PingVerb: s.ping, micro.InfoVerb: s.info, micro.StatsVerb: s.stats} {
		for _, to := range [][2]string{{"", ""}, {s.identity.Name, ""}, {s.identity.Name, s.identity.ID}} {
			subject, err := micro.ControlSubject(verb, to[0], to[1])
			if err != nil {
				return err
			}
			sub, err := s.link.nc.Subscribe(subject, func(m *nats.Msg) {
				text, err := json.Marshal(answer())
				if err == nil {
					err = m.Respond(text)
				}
				if err != nil {
					s.report(s.mounts[0].Server, fmt.Errorf("answering %s: %w", m.Subject, err))
				}
			})
			if err != nil {
				return fmt.Errorf("subscribing to %s: %w", subject, err)
			}
			s.monitor = append(s.monitor, sub)
		}
	}
	return nil
}

func (s *Service) ping() any {
	return micro.Ping{ServiceIdentity: s.identity, Type: micro.PingResponseType}
}

func (s *Service) info() any {
	info := micro.Info{ServiceIdentity: s.identity, Type: micro.InfoResponseType, Description: s.description}
	for _, m := range s.mounts {
		info.Endpoints = append(info.Endpoints, m.info())
	}
	return info
}

func (s *Service) stats() any {
	stats := micro.Stats{ServiceIdentity: s.identity, Type: micro.StatsResponseType, Started: s.started}
	for _, m := range s.mounts {
		stats.Endpoints = append(stats.Endpoints, m.stats())
	}
	return stats
}
