/** permessage-deflate (RFC 7692): the agreement upon it, and the compression of messages. */
export { PerMessageDeflate } from './deflate.ts'
export type { GradualDeflation, GradualInflation } from './gradual.ts'
export { acceptOffer, createOffers, readAnswer } from './offer.ts'
export type { DeflateParameters } from './offer.ts'
export { deflateSettings } from './options.ts'
export type { DeflateOptions, DeflateSettings } from './options.ts'
export { turnIsOver } from './turn.ts'
