package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// evidence judges the unpacked package of one entry (docs/evidence.md) with a key from elsewhere: the signature and the
// inclusion by sumdb's code, the two commitments by Go's standard library. Witnesses it does not judge.
func evidence(dir, vkey string) error {
	f := folder(dir)
	leaf, err := f.read("entry.bin")
	if err != nil {
		return err
	}
	proof, err := f.read("entry.tlog-proof")
	if err != nil {
		return err
	}
	head, signed, found := strings.Cut(string(proof), "\n\n")
	if !found {
		return errors.New("no checkpoint below the proof")
	}
	index, path, err := placed(strings.Split(head, "\n"), leaf)
	if err != nil {
		return err
	}
	text, err := openNote(vkey, signed)
	if err != nil {
		return err
	}
	lines := strings.Split(text, "\n")
	if len(lines) < 4 {
		return errors.New("short checkpoint")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return err
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return err
	}
	if err := tlog.CheckRecord(path, size, root, index, tlog.RecordHash(leaf)); err != nil {
		return err
	}
	return commitments(f, leaf, lines[0], index)
}

// placed reads a tlog-proof's lines: header, extra, index, hashes.
func placed(lines []string, leaf []byte) (int64, []tlog.Hash, error) {
	if len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return 0, nil, errors.New("no tlog-proof")
	}
	if lines[1] != "extra "+base64.StdEncoding.EncodeToString(leaf) {
		return 0, nil, errors.New("the proof carries another entry")
	}
	number, found := strings.CutPrefix(lines[2], "index ")
	if !found {
		return 0, nil, errors.New("no index")
	}
	index, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return 0, nil, err
	}
	path, err := hashes(lines[3:])
	return index, path, err
}

// commitments holds the index row, and what is shown, against what the entry commits to.
func commitments(f folder, leaf []byte, origin string, index int64) error {
	var opening struct {
		Origin     string  `json:"origin"`
		Index      int64   `json:"index"`
		BodySalt   []byte  `json:"body_salt"`
		Ciphertext []byte  `json:"ciphertext_sha256"`
		ShownSalt  *[]byte `json:"shown_salt"`
	}
	told, err := f.read("opening.json")
	if err != nil {
		return err
	}
	if err := json.Unmarshal(told, &opening); err != nil {
		return err
	}
	if opening.Origin != origin || opening.Index != index || len(leaf) != 115 {
		return errors.New("another entry's opening")
	}
	row, err := f.read("index.json")
	if err != nil {
		return err
	}
	digest := sha256.Sum256(row)
	if !committed(opening.BodySalt, append(digest[:], opening.Ciphertext...), leaf[51:83]) {
		return errors.New("the index row is not what was logged")
	}
	if opening.ShownSalt == nil {
		return nil
	}
	shown, err := f.read("shown.json")
	if err != nil {
		return err
	}
	var said struct{ Shown string }
	if err := json.Unmarshal(row, &said); err != nil {
		return err
	}
	wanted, err := hex.DecodeString(said.Shown)
	if err != nil || !committed(*opening.ShownSalt, shown, wanted) {
		return fmt.Errorf("what is shown is not what was logged")
	}
	return nil
}

func committed(salt, covered, wanted []byte) bool {
	mac := hmac.New(sha256.New, salt)
	mac.Write(covered)
	return bytes.Equal(mac.Sum(nil), wanted)
}
