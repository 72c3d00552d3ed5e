// The certified oidc-provider as a municipality's or MitID broker's log-in: everyone who comes is logged in as `sub`.
// Standard input: {redirectUris, postLogout, clientId, secret, sub, claims, alg}. Prints its address when it listens.
// Each further line changes some of it, and is answered with `changed`: other `claims`, or `ago`, the seconds since
// whoever comes proved who they are.
import http from 'node:http'
import readline from 'node:readline'
import { Provider } from 'oidc-provider'

const told = {}
const lines = readline.createInterface({ input: process.stdin })
await new Promise((done) => {
  lines.on('line', (line) => {
    if (told.alg) console.log('changed')
    Object.assign(told, JSON.parse(line))
    done()
  })
})
lines.on('close', () => process.exit(0))

const listener = http.createServer()
await new Promise((done) => listener.listen(0, '127.0.0.1', done))
const issuer = `http://127.0.0.1:${listener.address().port}`
const make = told.alg === 'ES256' ? { name: 'ECDSA', namedCurve: 'P-256' }
  : { name: told.alg === 'PS256' ? 'RSA-PSS' : 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) }
const pair = await crypto.subtle.generateKey(make, true, ['sign', 'verify'])
const key = { ...(await crypto.subtle.exportKey('jwk', pair.privateKey)), kid: 'k1', use: 'sig', alg: told.alg }
delete key.key_ops
delete key.ext

const provider = new Provider(issuer, {
  clients: [{
    client_id: told.clientId, client_secret: told.secret, redirect_uris: told.redirectUris,
    post_logout_redirect_uris: told.postLogout, token_endpoint_auth_method: 'client_secret_basic',
    id_token_signed_response_alg: told.alg, response_types: ['code'], grant_types: ['authorization_code'],
  }],
  jwks: { keys: [key] },
  cookies: { keys: ['a-secret-of-the-test'] },
  enabledJWA: { idTokenSigningAlgValues: [told.alg] },
  scopes: ['openid', 'mitid', 'ssn', 'nemlogin'],
  claims: { openid: ['sub', 'loa'], mitid: ['mitid.uuid'], ssn: ['dk.cpr'], nemlogin: ['nemlogin.cvr', 'nemlogin.privileges'] },
  pkce: { required: () => true },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_, interaction) => `/come-in/${interaction.uid}` },
  findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, ...told.claims }) }),
})
const serve = provider.callback()
listener.on('request', async (request, response) => {
  if (!request.url.startsWith('/come-in/')) return serve(request, response)
  const { params, session, prompt, grantId } = await provider.interactionDetails(request, response)
  if (prompt.name === 'login') return provider.interactionFinished(request, response, {
    login: { accountId: told.sub, ...(told.ago ? { ts: Math.floor(Date.now() / 1000) - told.ago } : {}) },
  })
  const grant = grantId ? await provider.Grant.find(grantId) : new provider.Grant({ accountId: session.accountId, clientId: params.client_id })
  grant.addOIDCScope(params.scope)
  return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true })
})
console.log(issuer)
