import fc from 'fast-check'
import { expect, it } from 'vitest'
import { History } from '../../src/deflate/history.ts'

it('History has the last octets of all that came, however it came', () => {
  fc.assert(
    fc.property(fc.nat(9), fc.array(fc.uint8Array({ maxLength: 25 })), (size, pieces) => {
      const history = new History(size)
      let all = Buffer.alloc(0)
      for (const piece of pieces) {
        history.push(Buffer.from(piece))
        all = Buffer.concat([all, piece])
        expect(history.contents()).toEqual(size === 0 ? Buffer.alloc(0) : all.subarray(-size))
      }
      history.clear()
      expect(history.contents()).toEqual(Buffer.alloc(0))
      history.push(Buffer.from('a'))
      expect(history.contents()).toHaveLength(Math.min(size, 1))
    }),
  )
})

it('History hands out copies', () => {
  const history = new History(8)
  history.push(Buffer.from('before'))
  const contents = history.contents()
  history.push(Buffer.from('behind'))
  expect(String(contents)).toBe('before')
})
