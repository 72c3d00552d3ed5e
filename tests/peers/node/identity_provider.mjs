// An identity provider that signs an assertion with xml-crypto. Reads {document, key, certificate, algorithm, place} as
// JSON from standard input and prints {signed}.
import { readFileSync } from 'node:fs'
import { SignedXml } from 'xml-crypto'

const { document, key, certificate, algorithm, place } = JSON.parse(readFileSync(0, 'utf8'))
const exclusive = 'http://www.w3.org/2001/10/xml-exc-c14n#'
const signer = new SignedXml({
  privateKey: key,
  publicCert: certificate,
  signatureAlgorithm: algorithm,
  canonicalizationAlgorithm: exclusive,
})
signer.addReference({
  xpath: "//*[local-name(.)='Assertion']",
  digestAlgorithm: 'http://www.w3.org/2001/04/xmlenc#sha256',
  transforms: ['http://www.w3.org/2000/09/xmldsig#enveloped-signature', exclusive],
})
signer.computeSignature(document, {
  prefix: 'ds',
  location: { reference: place, action: 'after' },
})
console.log(JSON.stringify({ signed: signer.getSignedXml() }))
