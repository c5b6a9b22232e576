/**
 * The little of Web IDL that the classes of the standard need: an interface whose members are enumerable, methods that
 * insist on their arguments, and conversions of what JavaScript hands over. All of them throw a `TypeError`.
 */

interface InterfaceClass {
  readonly prototype: object
}

/** An operation or constructor called with too few arguments is a `TypeError`, before anything else happens. */
export function requireArguments(given: number, required: number, name: string): void {
  if (given < required) throw new TypeError(`Too few arguments for ${name}: ${given} of ${required}`)
}

/** Attributes and operations are enumerable; the class, and its objects as strings, bear the name of the interface. */
export function defineInterface(interfaceClass: InterfaceClass, name: string): void {
  const { prototype } = interfaceClass
  for (const member of Object.getOwnPropertyNames(prototype)) {
    if (member !== 'constructor') Object.defineProperty(prototype, member, { enumerable: true })
  }
  Object.defineProperty(prototype, Symbol.toStringTag, { value: name, configurable: true })
  Object.defineProperty(interfaceClass, 'name', { value: name })
}

/** Constants are on the interface and on its prototype, and cannot be changed. */
export function defineConstants(interfaceClass: InterfaceClass, constants: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(constants)) {
    Object.defineProperty(interfaceClass, name, { value, enumerable: true })
    Object.defineProperty(interfaceClass.prototype, name, { value, enumerable: true })
  }
}

/** A dictionary: an object, or nothing. */
export function toDictionary<T extends object>(value: T): Partial<T> {
  const given: unknown = value
  if (given === undefined || given === null) return {}
  if (typeof given !== 'object' && typeof given !== 'function') throw new TypeError('An object is needed')
  return value
}

const HIGHEST_UNSIGNED_SHORT = 65_535

/** `[Clamp] unsigned short`: into the range, then to the nearest whole number, the even one of two. */
export function clampToUnsignedShort(value: unknown): number {
  const clamped = Math.min(Math.max(value as number, 0), HIGHEST_UNSIGNED_SHORT)
  // NaN becomes 0.
  const floor = Math.floor(clamped) || 0
  const above = clamped - floor
  const roundsUp = above > 0.5 || (above === 0.5 && floor % 2 === 1)
  return roundsUp ? floor + 1 : floor
}

/** `[EnforceRange] unsigned short`: in the range, without what stands behind the point. */
export function enforceUnsignedShort(value: unknown): number {
  const whole = Math.trunc(value as number)
  if (!(whole >= 0 && whole <= HIGHEST_UNSIGNED_SHORT)) {
    throw new TypeError(`A number from 0 to ${HIGHEST_UNSIGNED_SHORT} is needed`)
  }
  // Not -0.
  return whole + 0
}

/** `unsigned short`: modulo 2^16. */
export function toUnsignedShort(value: unknown): number {
  return (value as number) & HIGHEST_UNSIGNED_SHORT
}

/** `unsigned long`: modulo 2^32. */
export function toUnsignedLong(value: unknown): number {
  return (value as number) >>> 0
}

/** `DOMString`, which unlike a `USVString` keeps lone surrogates. `String()` would take a symbol. */
export function toDOMString(value: unknown): string {
  return ''.concat(value as string)
}
