/** Certificates of an authority of our own, as files: what servers outside of this process take. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createAuthority } from '../../test/support/certificates.ts'

export interface CertificateFiles {
  /** Paths of PEM files. */
  readonly key: string
  readonly cert: string
  readonly ca: string
  /** Certificate and key in one. */
  readonly both: string
  readonly pem: { readonly key: string; readonly cert: string; readonly ca: string }
}

export async function writeCertificates(folder: string): Promise<CertificateFiles> {
  const authority = await createAuthority()
  const { key, cert } = await authority.issue()
  const pem = { key, cert, ca: authority.cert }
  const files = { key: 'key.pem', cert: 'cert.pem', ca: 'ca.pem', both: 'both.pem' }
  const texts = { ...pem, both: `${cert.trimEnd()}\n${key}` }
  for (const [name, file] of Object.entries(files)) {
    await writeFile(join(folder, file), texts[name as keyof typeof texts])
  }
  return {
    key: join(folder, files.key),
    cert: join(folder, files.cert),
    ca: join(folder, files.ca),
    both: join(folder, files.both),
    pem,
  }
}
