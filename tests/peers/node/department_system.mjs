// A department system written with oauth4webapi: it finds the broker, proves itself, brings its caseworker, asks.
// Standard input: {issuer, clientId, key (private JWK), alg, assertion, resource}. Standard output: what happened.
import * as oauth from 'oauth4webapi'

const told = JSON.parse(await new Promise((done) => {
  let text = ''
  process.stdin.on('data', (part) => { text += part }).on('end', () => done(text))
}))
const insecure = { [oauth.allowInsecureRequests]: true }
const issuer = new URL(told.issuer)
const server = await oauth.processDiscoveryResponse(
  issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure }))

const shapes = { ES256: { name: 'ECDSA', namedCurve: 'P-256' }, Ed25519: { name: 'Ed25519' }, PS256: { name: 'RSA-PSS', hash: 'SHA-256' } }
const key = await crypto.subtle.importKey('jwk', told.key, shapes[told.alg], false, ['sign'])
const client = { client_id: told.clientId }
const proves = oauth.PrivateKeyJwt({ key, kid: told.key.kid })
const proof = oauth.DPoP(client, await oauth.generateKeyPair(told.proofAlg))

const alone = await oauth.processClientCredentialsResponse(server, client,
  await oauth.clientCredentialsGrantRequest(server, client, proves, new URLSearchParams(), { DPoP: proof, ...insecure }))

const exchange = { subject_token: told.assertion, subject_token_type: 'urn:ietf:params:oauth:token-type:jwt' }
const exchanged = await oauth.processGenericTokenEndpointResponse(server, client,
  await oauth.genericTokenEndpointRequest(server, client, proves, 'urn:ietf:params:oauth:grant-type:token-exchange',
    new URLSearchParams(exchange), { DPoP: proof, ...insecure }))

const ask = async (token, handle) => {
  try {
    const response = await oauth.protectedResourceRequest(token, 'POST', new URL(told.resource), undefined, undefined,
      { DPoP: handle, ...insecure })
    return { status: response.status, body: await response.json() }
  } catch (error) {
    return { status: error.status, challenges: error.cause }
  }
}
const other = oauth.DPoP(client, await oauth.generateKeyPair('ES256'))

// An independent resource server judges our token and our proof, as RFC 9068 and RFC 9449 say.
let seen
const judge = { ...insecure, [oauth.customFetch]: async (url, options) => { seen = new Request(url, options); return new Response('{}') } }
await oauth.protectedResourceRequest(exchanged.access_token, 'POST', new URL(told.resource), undefined, undefined,
  { DPoP: proof, ...judge })
const judged = await oauth.validateJwtAccessToken(server, seen, told.issuer, { requireDPoP: true, ...insecure })

console.log(JSON.stringify({
  alone: { type: alone.token_type, lives: alone.expires_in },
  exchanged: { type: exchanged.token_type, issued: exchanged.issued_token_type },
  asked: await ask(exchanged.access_token, proof),
  askedAgain: await ask(exchanged.access_token, proof),
  withAnotherKey: await ask(exchanged.access_token, other),
  systemAlone: await ask(alone.access_token, proof),
  judged: { sub: judged.sub, act: judged.act, clientId: judged.client_id },
}))
