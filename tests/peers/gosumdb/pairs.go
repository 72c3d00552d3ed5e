package main

import (
	"bufio"
	"fmt"
	"io"

	"golang.org/x/mod/sumdb/tlog"
)

// stored is a log in memory, as tlog keeps one.
type stored []tlog.Hash

func (s stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, index := range indexes {
		out = append(out, s[index])
	}
	return out, nil
}

// pairs reads, for every size up to most, the proof of every entry and then the proof from every smaller size on (a
// byte with the number of hashes, and the hashes), over the entries "entry 0", "entry 1" and so on. It answers how many
// it read; all must hold, and none with one bit of it changed.
func pairs(in io.Reader, most int64) (int, error) {
	proofs := bufio.NewReaderSize(in, 1<<20)
	var log stored
	var roots []tlog.Hash
	read := 0
	for size := int64(1); size <= most; size++ {
		added, err := tlog.StoredHashes(size-1, []byte(fmt.Sprintf("entry %d", size-1)), log)
		if err != nil {
			return read, err
		}
		log = append(log, added...)
		root, err := tlog.TreeHash(size, log)
		if err != nil {
			return read, err
		}
		roots = append(roots, root)
		for index := int64(0); index < size; index++ {
			leaf := log[tlog.StoredHashIndex(0, index)]
			check := func(path []tlog.Hash) error { return tlog.CheckRecord(path, size, root, index, leaf) }
			if err := both(proofs, check); err != nil {
				return read, fmt.Errorf("entry %d of %d: %w", index, size, err)
			}
			read++
		}
		for old := int64(1); old <= size; old++ {
			check := func(path []tlog.Hash) error { return tlog.CheckTree(path, size, root, old, roots[old-1]) }
			if err := both(proofs, check); err != nil {
				return read, fmt.Errorf("from %d to %d: %w", old, size, err)
			}
			read++
		}
	}
	if _, err := proofs.ReadByte(); err != io.EOF {
		return read, fmt.Errorf("more proofs than pairs")
	}
	return read, nil
}

func both(proofs *bufio.Reader, check func([]tlog.Hash) error) error {
	count, err := proofs.ReadByte()
	if err != nil {
		return err
	}
	path := make([]tlog.Hash, count)
	for i := range path {
		if _, err := io.ReadFull(proofs, path[i][:]); err != nil {
			return err
		}
	}
	if err := check(path); err != nil {
		return err
	}
	bent := append([]tlog.Hash(nil), path...)
	if count == 0 {
		bent = append(bent, tlog.Hash{})
	} else {
		bent[int(count)/2][7] ^= 1
	}
	if check(bent) == nil {
		return fmt.Errorf("accepted with one bit changed")
	}
	return nil
}
