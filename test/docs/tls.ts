/** A certificate for the snippets that speak TLS. */
import { createAuthority } from '../support/certificates.ts'

const authority = await createAuthority()

export const { key, cert } = await authority.issue()
export const ca: string = authority.cert
