import { expect, it } from 'vitest'
import * as room from '../../src/deflate/index.ts'

it('deflate exports what connections, servers and clients need', () => {
  expect(Object.keys(room).toSorted()).toEqual([
    'PerMessageDeflate',
    'acceptOffer',
    'createOffers',
    'deflateSettings',
    'readAnswer',
    'turnIsOver',
  ])
})
