/**
 * Certificates for tests, made when they are asked for: an authority of our own, and what it has signed. Nobody trusts
 * it who is not told to, and its keys are in no file.
 */
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'
import { webcrypto } from 'node:crypto'

/** PEM. */
export interface Certificate {
  readonly key: string
  readonly cert: string
}

export interface CertificateOptions {
  /** What it is for, as subjectAltName has it; the names of this machine for itself unless given. */
  readonly names?: string
  /** Days from now until it expires; negative: it has expired already. */
  readonly days?: number
}

const LOOPBACK = 'DNS:localhost,IP:127.0.0.1,IP:::1'
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const DAY = 86_400_000
const LONG_AGO = new Date(Date.now() - 100 * DAY)

x509.cryptoProvider.set(webcrypto)

export class Authority implements Certificate {
  readonly key: string
  /** What a client has to trust. */
  readonly cert: string
  readonly #certificate: x509.X509Certificate
  readonly #keys: webcrypto.CryptoKeyPair

  constructor(key: string, certificate: x509.X509Certificate, keys: webcrypto.CryptoKeyPair) {
    this.key = key
    this.cert = certificate.toString('pem')
    this.#certificate = certificate
    this.#keys = keys
  }

  /** A certificate that this authority has signed. */
  async issue({ names = LOOPBACK, days = 2 }: CertificateOptions = {}): Promise<Certificate> {
    const keys = await generateKeys()
    const certificate = await x509.X509CertificateGenerator.create({
      ...validFor(days),
      serialNumber: '02',
      subject: 'CN=leaf',
      issuer: this.#certificate.subject,
      signingAlgorithm: ALGORITHM,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      extensions: [new x509.SubjectAlternativeNameExtension(names.split(',').map(alternativeName))],
    })
    return { key: await pemOf(keys), cert: certificate.toString('pem') }
  }
}

export async function createAuthority(): Promise<Authority> {
  const keys = await generateKeys()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...validFor(2),
    serialNumber: '01',
    name: 'CN=authority',
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  })
  return new Authority(await pemOf(keys), certificate, keys)
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
}

function validFor(days: number): { notBefore: Date; notAfter: Date } {
  return { notBefore: LONG_AGO, notAfter: new Date(Date.now() + days * DAY) }
}

function alternativeName(name: string): { type: 'dns' | 'ip'; value: string } {
  const colon = name.indexOf(':')
  return { type: name.startsWith('IP:') ? 'ip' : 'dns', value: name.slice(colon + 1) }
}

async function pemOf({ privateKey }: webcrypto.CryptoKeyPair): Promise<string> {
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', privateKey)
  return x509.PemConverter.encode(pkcs8, 'PRIVATE KEY')
}
