// Command gosumdb judges our log with Go's own sumdb code, which shares nothing with ours.
//
// It reads one JSON request and writes one JSON answer: for each case an empty string, or why it was refused. With a
// number it reads the proofs of all pairs up to that size instead (pairs.go) and says how many it took; with a folder and
// a key it judges the package of one entry (evidence.go).
package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type request struct {
	Notes []struct{ Vkey, Note string }
	// Inclusion: is the leaf at this index of the tree?
	Inclusion []struct {
		Index, Size int64
		Root, Leaf  string
		Proof       []string
	}
	// Consistency: is the old tree a prefix of the new one?
	Consistency []struct {
		Old, New         int64
		OldRoot, NewRoot string
		Proof            []string
	}
	// Exports: folders in the form of C2SP tlog-tiles.
	Exports []struct{ Vkey, Folder string }
}

type answer struct {
	Notes, Inclusion, Consistency, Exports []string
}

func main() {
	if len(os.Args) == 3 {
		if err := evidence(os.Args[1], os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println("the entry is on the log, and says what was logged")
		return
	}
	if len(os.Args) == 2 {
		most, err := strconv.ParseInt(os.Args[1], 10, 64)
		if err == nil {
			var read int
			read, err = pairs(os.Stdin, most)
			fmt.Println(read)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	var asked request
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	var judged answer
	for _, c := range asked.Notes {
		_, err := openNote(c.Vkey, c.Note)
		judged.Notes = append(judged.Notes, said(err))
	}
	for _, c := range asked.Inclusion {
		judged.Inclusion = append(judged.Inclusion, said(inclusion(c.Index, c.Size, c.Root, c.Leaf, c.Proof)))
	}
	for _, c := range asked.Consistency {
		judged.Consistency = append(judged.Consistency, said(consistency(c.Old, c.New, c.OldRoot, c.NewRoot, c.Proof)))
	}
	for _, c := range asked.Exports {
		judged.Exports = append(judged.Exports, said(export(c.Vkey, c.Folder)))
	}
	if err := json.NewEncoder(os.Stdout).Encode(judged); err != nil {
		os.Exit(2)
	}
}

func said(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func openNote(vkey, text string) (string, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return "", err
	}
	opened, err := note.Open([]byte(text), note.VerifierList(verifier))
	if err != nil {
		return "", err
	}
	return opened.Text, nil
}

func hashes(texts []string) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, text := range texts {
		h, err := tlog.ParseHash(text)
		if err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	return out, nil
}

func inclusion(index, size int64, root, leaf string, proof []string) error {
	ends, err := hashes([]string{root, leaf})
	if err != nil {
		return err
	}
	path, err := hashes(proof)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(path, size, ends[0], index, ends[1])
}

func consistency(old, new int64, oldRoot, newRoot string, proof []string) error {
	ends, err := hashes([]string{oldRoot, newRoot})
	if err != nil {
		return err
	}
	path, err := hashes(proof)
	if err != nil {
		return err
	}
	return tlog.CheckTree(path, new, ends[1], old, ends[0])
}

// folder reads tiles as C2SP lays them out: no height in the path, "entries" for data.
type folder string

func (f folder) Height() int                     { return 8 }
func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, tile := range tiles {
		data, err := f.read("tile/" + strings.TrimPrefix(tile.Path(), "tile/8/"))
		if err != nil {
			return nil, err
		}
		out = append(out, data)
	}
	return out, nil
}

func (f folder) read(path string) ([]byte, error) {
	return os.ReadFile(filepath.Join(string(f), path))
}

func export(vkey, dir string) error {
	f := folder(dir)
	signed, err := f.read("checkpoint")
	if err != nil {
		return err
	}
	text, err := openNote(vkey, string(signed))
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
	reader := tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, f)
	var indexes []int64
	for i := int64(0); i < size; i++ {
		indexes = append(indexes, tlog.StoredHashIndex(0, i))
	}
	leaves, err := reader.ReadHashes(indexes)
	if err != nil {
		return err
	}
	return entries(f, size, leaves)
}

// entries holds every entry of every bundle against the leaf hash that the tiles prove.
func entries(f folder, size int64, leaves []tlog.Hash) error {
	for start := int64(0); start < size; start += 256 {
		tile := tlog.Tile{H: 8, L: -1, N: start / 256, W: 256}
		if size-start < 256 {
			tile.W = int(size - start)
		}
		data, err := f.read("tile/entries/" + strings.TrimPrefix(tile.Path(), "tile/8/data/"))
		if err != nil {
			return err
		}
		for i := start; i < start+int64(tile.W); i++ {
			if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
				return fmt.Errorf("entry %d is cut", i)
			}
			length := int(binary.BigEndian.Uint16(data))
			if tlog.RecordHash(data[2:2+length]) != leaves[i] {
				return fmt.Errorf("entry %d is not the one in the tree", i)
			}
			data = data[2+length:]
		}
		if len(data) != 0 {
			return errors.New("more entries than the tree has")
		}
	}
	return nil
}
