// Package ratelimit limits how often something is done: by anybody, or by each holder of a key.
package ratelimit
