/** Where what a tap sees can go: to a terminal, to programs, to Wireshark. */
export { formatFrame, hexDump } from './hexdump.ts'
export { ndjson } from './ndjson.ts'
export type { FrameRecord } from './ndjson.ts'
export { pcapng } from './pcapng.ts'
export type { Sink, SinkOptions } from './sink.ts'
