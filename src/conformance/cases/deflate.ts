/**
 * 12 and 13 permessage-deflate: a thousand compressed messages in lock-step, each of which has to come back as it was.
 *
 * 12 has five kinds of content, 13 has seven sets of parameters. The last number of a case stands for the length of its
 * messages and for the frames that carry them.
 */
import type { Case, Opening, Role, Tester } from '../case.ts'
import { Unimplemented } from '../case.ts'
import { Windows, bitmapContent, htmlContent, jsonContent, pdfContent, proseContent } from '../content.ts'
import type { Content } from '../content.ts'
import { TesterDeflate, answerDeflate, offerDeflate } from '../deflate.ts'
import type { DeflateDemand } from '../deflate.ts'
import { wantEcho } from './build.ts'
import { compressed } from './steps.ts'

/** Units of the content in a message; octets of the compressed message in a frame, or all of them in one; seconds. */
const SHAPES: readonly (readonly [length: number, frameSize: number | undefined, seconds: number])[] = [
  [16, undefined, 60],
  [64, undefined, 60],
  [256, undefined, 120],
  [1024, undefined, 240],
  [4096, undefined, 480],
  [8192, undefined, 480],
  [16_384, undefined, 480],
  [32_768, undefined, 480],
  [65_536, undefined, 480],
  [131_072, undefined, 480],
  [8192, 256, 480],
  [16_384, 256, 480],
  [32_768, 256, 480],
  [65_536, 256, 480],
  [131_072, 256, 480],
  [131_072, 1024, 480],
  [131_072, 4096, 480],
  [131_072, 32_768, 480],
]

const MESSAGES = 1000

const CONTENTS: readonly (readonly [id: string, what: string, content: () => Content])[] = [
  ['12.1', 'JSON as text', jsonContent],
  ['12.2', 'a bitmap as binary', bitmapContent],
  ['12.3', 'prose as binary', proseContent],
  ['12.4', 'HTML as text', htmlContent],
  ['12.5', 'a PDF as binary', pdfContent],
]

/** What the tester asks of the peer's compressor: as a client all of it in this order, as a server the first that it may. */
const DEMANDS: readonly (readonly [id: string, what: string, demands: readonly DeflateDemand[]])[] = [
  ['13.1', 'nothing asked of the peer', [{}]],
  ['13.2', 'no context takeover for the peer', [{ noContextTakeover: true }]],
  ['13.3', 'a window of 9 bits for the peer', [{ maxWindowBits: 9 }]],
  ['13.4', 'a window of 15 bits for the peer', [{ maxWindowBits: 15 }]],
  ['13.5', 'no context takeover and 9 bits for the peer', [{ noContextTakeover: true, maxWindowBits: 9 }]],
  ['13.6', 'no context takeover and 15 bits for the peer', [{ noContextTakeover: true, maxWindowBits: 15 }]],
  [
    '13.7',
    'three offers, each asking for less',
    [{ noContextTakeover: true, maxWindowBits: 9 }, { noContextTakeover: true }, {}],
  ],
]

/** What the tester says of its own compressor when it is the client. */
const OWN_HALF = '; client_no_context_takeover; client_max_window_bits'

function opening(demands: readonly DeflateDemand[]): Opening {
  return {
    offer: demands.map((demand) => offerDeflate(demand, OWN_HALF)).join(', '),
    answer: (offers) => answerDeflate(offers, demands),
  }
}

/** What compresses the tester's messages; a peer that declines the extension does not do what the case is about. */
export function agreed({ extensions, role }: { readonly extensions: string; readonly role: Role }): TesterDeflate {
  if (extensions === '') throw new Unimplemented('the peer does not agree to permessage-deflate as the case wants it')
  return new TesterDeflate(extensions, role)
}

async function lockStep(
  tester: Tester,
  content: Content,
  length: number,
  frameSize: number | undefined,
): Promise<void> {
  const deflate = agreed(tester)
  const type = typeof content === 'string' ? 'text' : 'binary'
  const windows = new Windows(content)
  for (let i = 0; i < MESSAGES; i++) {
    const message = windows.next(length)
    await tester.send(compressed(type, await deflate.deflate(message), frameSize))
    await wantEcho(tester, type, message)
  }
}

function shapes(group: string, what: string, content: () => Content, demands: readonly DeflateDemand[]): Case[] {
  return SHAPES.map(([length, frameSize, seconds], i) => {
    const units = content === jsonContent || content === htmlContent ? 'characters' : 'octets'
    const frames = frameSize === undefined ? 'in one frame each' : `in frames of ${frameSize}`
    return {
      id: `${group}.${i + 1}`,
      title: `Compressed, ${what}: ${MESSAGES} messages of ${length} ${units}, ${frames}, come back the same`,
      rule: 'RFC 7692 6, 7.2',
      timeout: seconds * 1000,
      heavy: true,
      opening: opening(demands),
      play: (tester) => lockStep(tester, content(), length, frameSize),
    }
  })
}

export const deflate: readonly Case[] = [
  ...CONTENTS.flatMap(([id, what, content]) => shapes(id, what, content, [{}])),
  ...DEMANDS.flatMap(([id, what, demands]) => shapes(id, `${what}, JSON`, jsonContent, demands)),
]
