/** Something with a `then` that is no promise, as other libraries make them; and something with one that is none. */
const NAME: string = ['th', 'en'].join('')

export function thenable(then: unknown): object {
  return Object.defineProperty({}, NAME, { value: then })
}
