/** 25 Compressed messages that do not inflate, or not to what their type says: the connection fails, and nothing comes back. */
import type { Case } from '../case.ts'
import type { Frame } from '../wire.ts'
import { event, fails, frame, hex, octets } from './build.ts'
import { agreed } from './deflate.ts'
import { compressed, failsSomehow, plainDeflate } from './steps.ts'

const DEFLATE = 'RFC 7692 7.2.2'

function broken(id: string, title: string, frames: readonly Frame[], rule: string = DEFLATE): Case {
  return {
    id,
    title: `${title}: the connection fails`,
    rule,
    timeout: 2000,
    opening: plainDeflate,
    async play(tester) {
      agreed(tester)
      await tester.send(frames)
    },
    expect: { ok: [] },
    close: failsSomehow,
  }
}

function octetwise(id: string, title: string, digits: string): Case {
  return broken(id, title, compressed('binary', hex(digits)))
}

/** Valid DEFLATE, of a text that is not valid UTF-8 (RFC 6455 8.1). */
function notUtf8(id: string, title: string, text: Buffer, frameSize?: number): Case {
  return {
    ...broken(id, title, [], 'RFC 6455 8.1'),
    async play(tester) {
      const payload = await agreed(tester).deflate(text)
      await tester.send(compressed('text', payload, frameSize))
    },
    close: fails(1007),
  }
}

export const brokenDeflate: readonly Case[] = [
  octetwise('25.1.1', 'A block of type 3', '06'),
  octetwise('25.1.2', 'A last block of type 3', '07'),
  octetwise('25.1.3', 'Octets that are all ones', 'ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff'),
  octetwise(
    '25.1.4',
    'A block without compression whose lengths contradict each other',
    '00 05 00 ff ff 48 65 6c 6c 6f 00',
  ),
  octetwise('25.1.5', 'A block without compression that is cut off', '00 05 00 fa ff 48 65'),
  octetwise('25.1.6', 'A block that points back to before the beginning', 'f2 00 11 00 00'),
  octetwise('25.1.7', 'A block with codes of its own, too many of them', 'fc ff ff'),
  octetwise('25.1.8', 'A block with codes of its own, but none for its end', `04${'00'.repeat(47)}`),
  octetwise('25.1.9', 'Text that was never compressed', octets('Hello, world!').toString('hex')),
  octetwise('25.1.10', 'A good block, and one of type 3', 'f2 48 05 00 00 00 ff ff 06'),
  octetwise('25.1.11', 'A block with BFINAL, and one of type 3', 'f3 48 cd c9 c9 07 00 06'),
  broken('25.1.12', 'A good fragment, and one that begins with a block of type 3', [
    { ...frame.more(frame.text(hex('f2 48 05 00 00 00 ff ff'))), rsv: 4 },
    frame.continuation(hex('06')),
  ]),
  {
    ...broken('25.1.13', 'A good message, and one that is none', []),
    async play(tester) {
      agreed(tester)
      await tester.send(compressed('binary', hex('f2 48 cd c9 c9 07 00')))
      await tester.mark(300)
      await tester.send(compressed('binary', hex('06')))
    },
    expect: { ok: [event.binary('Hello'), event.pause] },
  },
  notUtf8('25.2.1', 'A compressed text with a lone surrogate', hex('ed a0 80')),
  notUtf8('25.2.2', 'A compressed text that ends within a character', hex('48 65 6c 6c 6f ce')),
  notUtf8('25.2.3', 'A compressed text with an octet of ff, in frames of one octet', hex('48 65 6c ff 6c 6f'), 1),
  notUtf8(
    '25.2.4',
    'A compressed text of 100000 octets, the last of which is wrong',
    Buffer.concat([Buffer.alloc(99_999, 'a'), hex('80')]),
  ),
]
