// jose (the JWS library under oauth4webapi and oidc-provider; pinned by the lock) judges receipts.
// Standard input: {jwks, tokens: [compact JWS]}. Standard output: [{header, payload} or {refused: why}].
import { compactVerify, createLocalJWKSet } from 'jose'

const told = JSON.parse(await new Promise((done) => {
  let text = ''
  process.stdin.on('data', (part) => { text += part }).on('end', () => done(text))
}))
const keys = createLocalJWKSet(told.jwks)
const judged = []
for (const token of told.tokens) {
  try {
    const { payload, protectedHeader } = await compactVerify(token, keys, { algorithms: ['Ed25519'] })
    judged.push({ header: protectedHeader, payload: new TextDecoder().decode(payload) })
  } catch (fault) {
    judged.push({ refused: fault.code })
  }
}
console.log(JSON.stringify(judged))
