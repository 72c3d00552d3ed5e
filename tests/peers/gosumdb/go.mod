module borgerbro/gosumdb

go 1.18

require golang.org/x/mod v0.17.0

require (
	filippo.io/edwards25519 v1.0.0-beta.3 // indirect
	filippo.io/mostly-harmless/ed25519vectors v0.0.0-20210322192420-30a2d7243a94 // indirect
)
