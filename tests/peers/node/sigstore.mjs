// sigstore-js judges checkpoints and inclusion proofs (its internal parts; the version is pinned).
// Standard input: {address, key: {id, spki}, notes: [text], proofs: [{index, size, leaf, proof, root}]}, bytes in base64.
// Standard output: {notes: [what was read, or why not], proofs: ["" or why it was refused]}.
import { createPublicKey } from 'node:crypto'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const { verifyCheckpoint } = require('@sigstore/verify/dist/tlog/checkpoint.js')
const { verifyMerkleInclusion } = require('@sigstore/verify/dist/tlog/merkle.js')

const told = JSON.parse(await new Promise((done) => {
  let text = ''
  process.stdin.on('data', (part) => { text += part }).on('end', () => done(text))
}))
const bytes = (text) => Buffer.from(text, 'base64')
const judged = (judge) => {
  try {
    return judge()
  } catch (fault) {
    return fault.message
  }
}

const tlog = {
  logID: bytes(told.key.id),
  baseURL: told.address,
  publicKey: createPublicKey({ key: bytes(told.key.spki), format: 'der', type: 'spki' }),
}
const notes = told.notes.map((envelope) => judged(() => {
  const read = verifyCheckpoint({ inclusionProof: { checkpoint: { envelope } } }, [tlog])
  return [read.origin, Number(read.logSize), read.logHash.toString('base64')]
}))
const proofs = told.proofs.map((one) => judged(() => {
  const entry = {
    canonicalizedBody: bytes(one.leaf),
    inclusionProof: { logIndex: String(one.index), hashes: one.proof.map(bytes) },
  }
  verifyMerkleInclusion(entry, { logSize: BigInt(one.size), logHash: bytes(one.root) })
  return ''
}))
process.stdout.write(JSON.stringify({ notes, proofs }))
