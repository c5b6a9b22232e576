/**
 * A WebSocket connection: the protocol bound to a Duplex, from the moment it is OPEN until it has ended.
 *
 * Bytes come in through `receive`, which opens an output batch, decodes inside one `try`, and closes the batch, so that
 * all that handlers sent meanwhile leaves in one write. Messages go out through `send`. How it ends, `ending.ts`
 * shows; `transportClosed` is the last thing that happens to it.
 *
 * The peer cannot make this class throw at anybody: what it does wrong fails this connection (RFC 6455 7.1.7), and is
 * told to `error` and in the `CloseInfo`, whether somebody listens or not.
 */
import type { Duplex } from 'node:stream'
import { PerMessageDeflate, readAnswer } from '../deflate/index.ts'
import { ConnectionClosedError, ProtocolError, WebSocketError, invalidType, invalidValue } from '../errors.ts'
import type { CloseInfo, CloseInitiator } from '../errors.ts'
import { CloseCode, FrameDecoder, Opcode, RSV1, writeCloseBody, writeControl, writeMessage } from '../framing/index.ts'
import type { FrameSink, FrameTarget } from '../framing/index.ts'
import { formatExtensions } from '../handshake/index.ts'
import type { ExtensionOffer } from '../handshake/index.ts'
import { Application } from './application.ts'
import type { MessageSource } from './chunks.ts'
import { Deferred } from './deferred.ts'
import { SentPing, channels, tellMessage } from './diagnostics.ts'
import { Ending, ReadyState } from './ending.ts'
import type { ConnectionHandler, MessageData, MessagesOptions, SendOptions } from './handler.ts'
import { judge, suspend } from './heartbeat.ts'
import { Incoming, MessageStreams } from './incoming.ts'
import type { MessageStream } from './incoming.ts'
import { lent, readIntoLent } from './lent.ts'
import { MessageQueue } from './messages.ts'
import type { Message } from './messages.ts'
import { checkCount, checkNames } from './options.ts'
import type { ConnectionSettings } from './options.ts'
import { Outgoing, OutgoingMessage } from './outgoing.ts'
import { Output } from './output.ts'
import { opcodeOf, payloadOf } from './payload.ts'
import { framesOf } from './prepared.ts'
import type { PreparedMessage } from './prepared.ts'
import { Hold } from './receiver.ts'
import type { Receiver } from './receiver.ts'
import { Watcher, Wiretap } from './tap.ts'
import type { Tap, TapOptions } from './tap.ts'
import { Uptake } from './uptake.ts'

const MAX_CONTROL_PAYLOAD = 125
/** Octets of a part of a streamed message, unless told: as many as one read brings. */
const MAX_PART_SIZE = 65_536
const MESSAGES_NAMES: readonly string[] = [
  'stream',
  'maxMessageSize',
  'maxPartSize',
] satisfies (keyof MessagesOptions)[]
const EMPTY = Buffer.alloc(0)

/** Of the messages that wait as octets, those that are text: once they are in a queue, nothing else tells. */
const octetsOfText = new WeakSet<Buffer>()

/** From a transport to its connection: the listeners below serve all connections, so that none costs a closure. */
const kConnection = Symbol('connection')
type Bound = Duplex & { [kConnection]: Connection }

function onData(this: Bound, chunk: Buffer): void {
  this[kConnection].arrived(chunk, chunk.length)
}
function onRead(this: Duplex, octets: number): boolean {
  const connection = (this as Bound)[kConnection]
  connection.arrived(lent, octets)
  return !connection.held
}
function onDrain(this: Bound): void {
  this[kConnection].transportDrained()
}
function onEnd(this: Bound): void {
  this[kConnection].transportEnded()
}
function onError(this: Bound, error: Error): void {
  this[kConnection].transportFailed(error)
}
function onClose(this: Bound): void {
  this[kConnection].transportClosed()
}

/** What most connections never need; made for one that does. */
class Extras {
  /** The latest Ping that could not be answered yet; earlier ones need no answer any more (5.5.3). */
  unansweredPing: Buffer | undefined = undefined
  /** `send` answered false, and `drain` has not been told since. */
  drainOwed = false
  messages: MessageQueue | undefined = undefined
  /** Messages in parts, when somebody wants them so. */
  incoming: Incoming | undefined = undefined
  /** Messages that cannot leave at once, when there has been one. */
  outgoing: Outgoing | undefined = undefined
  closed: Deferred<CloseInfo> | undefined = undefined
  drained: Deferred<void> | undefined = undefined
  /** What `error` was told. */
  told: Error | undefined = undefined
  /** Who watches the wire, if somebody does. */
  taps: readonly Wiretap[] | undefined = undefined
  /** The latest Ping, if somebody wants to know how long its answer takes. */
  sentPing: SentPing | undefined = undefined
  /** What waited when the last Ping of the heartbeat was sent, if anything did. */
  uptake: Uptake | undefined = undefined
}

/**
 * A connection, from the moment it is open. It is what its parts ask of their owner, too: a connection that is idle costs
 * little beside its socket, so they keep nothing that can be asked for, and what is seldom needed is made when it is
 * (docs/performance.md).
 */
export class Connection<Data = unknown> {
  /** Whatever the application keeps with a connection; on a server what its `upgrade` answered. */
  data: Data
  /** The subprotocol agreed upon, or the empty string (RFC 6455 1.9). */
  readonly protocol: string
  /** The extensions agreed upon, as in `Sec-WebSocket-Extensions`, or the empty string (RFC 6455 9.1). */
  readonly extensions: string
  /** @internal */
  readonly socket: Duplex
  /** @internal */
  readonly settings: ConnectionSettings
  /** @internal */
  readonly deflate: PerMessageDeflate | undefined
  /** @internal */
  heardAt: number
  /** @internal */
  activeAt: number
  /** @internal */
  pingedAt = -1

  readonly #application: Application<Connection<Data>>
  readonly #output: Output
  /** While there is something to remember of what was read, or of how reading goes on. */
  #receiver: Receiver | undefined = undefined
  /** How it ends, once it does. */
  #ending: Ending | undefined = undefined
  #extras: Extras | undefined = undefined

  /** @internal */
  constructor(
    socket: Duplex,
    settings: ConnectionSettings,
    handler: ConnectionHandler<Connection<Data>>,
    data: Data,
    protocol: string,
    extensions: readonly ExtensionOffer[] = [],
  ) {
    const parameters = readAnswer(extensions)
    this.data = data
    this.protocol = protocol
    this.extensions = formatExtensions(extensions)
    this.socket = socket
    this.settings = settings
    this.deflate = settings.deflate && parameters && new PerMessageDeflate(parameters, settings.deflate, settings.role)
    this.heardAt = settings.clock.now
    this.activeAt = settings.clock.now
    this.#application = Application.of(handler)
    this.#output = new Output(socket, this)
  }

  /**
   * Takes the transport over, tells `open`, and starts to read. `greeting` is what has to leave first, `head` what had
   * been read beyond the opening handshake.
   * @internal
   */
  start(greeting: string, head: Buffer): void {
    const socket = this.socket as Bound
    socket[kConnection] = this
    socket.on('data', onData).on('drain', onDrain).on('end', onEnd).on('error', onError).on('close', onClose)
    readIntoLent(socket, onRead)
    this.begun()
    this.#output.begin()
    if (greeting !== '') this.#output.push(Buffer.from(greeting, 'latin1'))
    const { counts } = this.settings
    counts.opened++
    // It leaves with the first frames, and is none.
    counts.octetsSent -= greeting.length
    const opening = this.#application.open(this)
    if (opening !== undefined) void opening.then(() => this.#receiver?.release(Hold.Opening))
    // Who iterates over the messages may do so within `open`; for `message` they wait until it has settled.
    if (opening !== undefined && this.#application.takesMessages && this.#ending?.mute !== true) {
      this.#ownReceiver.hold(Hold.Opening)
      // Closed already: what comes until the peer's Close is not for `message` either.
      if (this.#ending !== undefined) this.#ownReceiver.awaitClose()
    }
    this.#output.end()
    // Whoever waits for a client has it in a moment, and may then say how its messages are to come.
    if (head.length > 0 && this.settings.role === 'client' && !this.#application.takesMessages) {
      this.#ownReceiver.hold(Hold.Opening)
      setImmediate(() => this.#receiver?.release(Hold.Opening))
    }
    if (head.length > 0) this.arrived(head, head.length)
    if (!this.held) socket.resume()
  }

  /** 1 open, 2 closing, 3 closed; see `ReadyState`. */
  get readyState(): 1 | 2 | 3 {
    return this.#ending === undefined ? ReadyState.Open : this.#ending.readyState
  }

  /** Octets sent, headers included, that the operating system has not taken yet. */
  get bufferedAmount(): number {
    // What a socket had not taken when it ended it may count for ever.
    if (this.#ending?.readyState === ReadyState.Closed) return 0
    return this.#output.bufferedAmount + (this.#extras?.outgoing?.size ?? 0)
  }

  /** Settles when the connection has ended, however it ended; never rejects. */
  get closed(): Promise<CloseInfo> {
    const info = this.#ending?.info
    if (info !== undefined) return Promise.resolve(info)
    const extras = this.#withExtras
    extras.closed ??= new Deferred()
    return extras.closed.promise
  }

  /**
   * Sends a message: a string as text, octets as binary (RFC 6455 6.1). Large octets are passed on by reference, as
   * `socket.write` does: leave them alone until they have been sent.
   *
   * Answers whether the queue is below the high-water mark; when not, wait for `drain` or `drained()`. After the close
   * it answers `false` and sends nothing. Throws a `TypeError` for data of another type.
   */
  send(data: MessageData, options?: SendOptions): boolean {
    if (options !== undefined && typeof options !== 'object') throw notOptions()
    const payload = payloadOf(data)
    const opcode = opcodeOf(payload, options?.binary)
    const fragmentSize = this.#fragmentSize(options)
    if (!this.#maySend()) return false
    this.activeAt = this.settings.clock.now
    this.#write(opcode, payload, fragmentSize, options?.compress)
    this.#messageSent(opcode === Opcode.Binary, payload)
    return this.#sent()
  }

  /**
   * Sends one message while it is still being made: every chunk of `source` leaves as a fragment (5.4), as fast as the
   * peer reads. The first chunk tells whether it is text, unless `binary` does. It is compressed only where `compress` says
   * so, chunk by chunk. Messages sent meanwhile follow it; a second stream waits for the first. As with `send`, leave
   * large octets alone until they have been sent.
   *
   * A source that is not wanted to its end, as the connection ended before or a chunk cannot be sent, is left at once: a
   * Readable is destroyed, a ReadableStream cancelled, and of another iterator `return` is called.
   *
   * Settles when the last of it has been queued as `send` queues. Rejects with `ConnectionClosedError` when the
   * connection ends before, and with what the source throws; if a part of the message has left by then, the connection
   * is failed with 1011, as nobody could tell the rest. Throws a `TypeError` or `RangeError` for wrong options.
   */
  sendStream(source: MessageSource, options: SendOptions = {}): Promise<void> {
    const fragmentSize = this.#fragmentSize(options)
    const deflate = options.compress === true ? this.deflate : undefined
    const message = new OutgoingMessage(this.settings.role === 'client', fragmentSize, options.binary, deflate)
    const sent: Promise<void> = this.#queued()
      .send(message, source)
      .then((complete) => {
        if (complete) {
          this.#messageSent(message.isBinary)
          return
        }
        // Whoever waits hears that the connection has ended; that nobody waits is no fault, and ends no process.
        sent.catch(() => {})
        throw new ConnectionClosedError(this.#end('local').explanation)
      })
    return sent
  }

  /** Settles when the queue is below the high-water mark; rejects with `ConnectionClosedError` if it never will be. */
  drained(): Promise<void> {
    if (this.readyState !== ReadyState.Open) {
      const never = new Deferred<void>()
      never.reject(new ConnectionClosedError(this.#end('local').explanation))
      return never.promise
    }
    if (this.bufferedAmount < this.settings.highWaterMark) return Promise.resolve()
    this.#output.askDrain()
    const extras = this.#withExtras
    extras.drained ??= new Deferred()
    return extras.drained.promise
  }

  /** Sends a Ping of at most 125 octets (5.5.2); answers as `send` does. */
  ping(payload: MessageData = EMPTY): boolean {
    return this.#sendControl(Opcode.Ping, payload)
  }

  /** Sends a Pong that nobody asked for (5.5.3). Pings are answered without this. */
  pong(payload: MessageData = EMPTY): boolean {
    return this.#sendControl(Opcode.Pong, payload)
  }

  /**
   * Starts the closing handshake (7.1.2) with a code from 1000, 3000-3999 or 4000-4999 (or the others of 7.4.1 that may
   * be sent) and a reason of at most 123 octets; messages that wait are sent first. Settles when the connection has
   * ended; messages that the peer sent before its own Close may still come. Throws a `TypeError` or `RangeError` for a code
   * or reason that cannot be sent.
   */
  close(code?: number, reason?: string): Promise<CloseInfo> {
    const body = writeCloseBody(code, reason)
    if (code === CloseCode.MandatoryExtension && this.settings.role === 'server') throw clientsCode()
    if (this.readyState === ReadyState.Open) this.#end('local').close(body)
    return this.closed
  }

  /** Ends the connection at once, without a closing handshake; what was queued is lost. */
  terminate(): void {
    if (this.readyState !== ReadyState.Closed) this.#end('local').terminate()
  }

  /** No further message is delivered, and the peer is made to wait, until `resume`. */
  pause(): void {
    if (this.readyState === ReadyState.Open) this.#ownReceiver.hold(Hold.Pause)
  }

  /** Messages are delivered again, those first that waited. */
  resume(): void {
    this.#receiver?.release(Hold.Pause)
  }

  /**
   * The messages, for a connection whose handler has no `message`. The loop ends when the connection was closed with
   * 1000, 1001 or without a code, and throws `ConnectionClosedError` otherwise.
   *
   * With `stream` each message is an iterable of its parts, to be read before the next one is asked for: that drops what
   * is left of it. Where messages are streamed already, the limits that were given first hold.
   *
   * Throws a `TypeError` or `RangeError` for wrong options, and a `TypeError` where the messages go elsewhere.
   */
  messages(options?: MessagesOptions & { readonly stream?: false }): AsyncIterableIterator<Message, undefined>
  messages(options: MessagesOptions & { readonly stream: true }): AsyncIterableIterator<MessageStream, undefined>
  messages(
    options: MessagesOptions = {},
  ): AsyncIterableIterator<Message, undefined> | AsyncIterableIterator<MessageStream, undefined> {
    checkNames('messages', options, MESSAGES_NAMES)
    const { stream = false } = options
    if (this.#application.takesMessages || (this.#extras?.incoming !== undefined && !stream)) {
      const message = 'The messages of this connection go to `message` of its handler, or are streamed already'
      throw invalidType('ERR_WS_HAS_HANDLER', message)
    }
    return stream ? this.#messageStreams(options) : this.#queue()
  }

  /**
   * Has `tap` told every frame that crosses the wire from now on, in both directions and in order, whatever becomes of it;
   * a frame that is crossing it now is left out. Answers a function that removes it again. Throws a `TypeError` or
   * `RangeError` for wrong options.
   */
  tap(tap: Tap<this>, options?: TapOptions): () => void {
    const watcher = new Watcher(tap, options)
    this.watch(watcher)
    return () => {
      watcher.removed = true
      this.unwatch(watcher)
    }
  }

  /** As `messages()`. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Message, undefined> {
    return this.messages()
  }

  /** Closes with 1000, and waits for the end. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close(CloseCode.NormalClosure)
  }

  /**
   * Whether reading is held.
   * @internal
   */
  get held(): boolean {
    return this.#receiver?.held === true
  }

  /**
   * The transport has brought the first `limit` octets of `chunk`.
   * @internal
   */
  arrived(chunk: Buffer, limit: number): void {
    this.settings.counts.octetsReceived += limit
    if (this.#extras?.taps !== undefined) for (const tap of this.#extras.taps) tap.read(chunk, limit)
    this.receive(chunk, limit)
  }

  /** @internal */
  receive(chunk: Buffer, limit: number = chunk.length): void {
    this.heardAt = this.settings.clock.now
    this.#output.begin()
    try {
      const receiver = this.#ownReceiver
      receiver.receive(chunk, limit)
      if (receiver.idle && this.#ending === undefined) this.#giveBack(receiver)
    } catch (error) {
      this.#failedToReceive(error)
    }
    this.#output.end()
  }

  /** @internal */
  goOnWith(work: () => void): void {
    this.#output.begin()
    try {
      work()
    } catch (error) {
      this.#failedToReceive(error)
    }
    this.#output.end()
  }

  /** @internal */
  messageReceived(data: Message, isBinary: boolean): void {
    this.activeAt = this.settings.clock.now
    this.#messageReceived(isBinary, data)
    if (this.#application.takesMessages) this.#application.message(this, data, isBinary)
    else this.#enqueue(data, isBinary)
  }

  /** @internal */
  partReceived(part: Buffer, isBinary: boolean, last: boolean): void {
    this.activeAt = this.settings.clock.now
    if (last) this.#messageReceived(isBinary)
    const isOpen = this.readyState === ReadyState.Open
    const incoming = this.#extras?.incoming
    incoming?.part(part, isBinary, last, !isOpen)
    if (isOpen && incoming?.full === true) this.#ownReceiver.hold(Hold.Queue)
  }

  /** @internal */
  pingReceived(payload: Buffer): void {
    // 5.5.3: only the latest Ping needs an answer, and a peer that does not read gets no queue of them.
    if (this.#output.blocked) {
      this.#withExtras.unansweredPing = payload
      this.#output.askDrain()
    } else {
      this.#writeControl(Opcode.Pong, payload)
    }
    if (channels.ping.hasSubscribers) channels.ping.publish({ connection: this, direction: 'in', payload })
    this.#application.ping(this, payload)
  }

  /** @internal */
  pongReceived(payload: Buffer): void {
    if (channels.pong.hasSubscribers) this.#tellPong(payload)
    this.#application.pong(this, payload)
  }

  /** @internal */
  closeReceived(code: number, reason: string): void {
    // 5.5.2: a Ping is answered "unless it already received a Close frame".
    if (this.#extras !== undefined) this.#extras.unansweredPing = undefined
    this.#end('peer').closeReceived(code, reason)
  }

  /**
   * Sends a message that goes to many connections.
   * @internal
   */
  sendPrepared(message: PreparedMessage): boolean {
    if (!this.#maySend()) return false
    this.activeAt = this.settings.clock.now
    this.#messageSent(message.opcode === Opcode.Binary, message.payload)
    const frames = message.framesFor(this.deflate)
    const outgoing = this.#extras?.outgoing
    if (frames === undefined) {
      this.#write(message.opcode, message.octets, message.fragmentSize, true)
    } else if (frames instanceof Promise) {
      void this.#queued().sendLater(message.octets.length, frames)
    } else if (outgoing === undefined) {
      this.#output.pushBurst(frames)
      // Of many connections that are sent the same the sockets are looked at when all of it has been handed on.
      if (this.#output.queued < this.settings.highWaterMark) return true
    } else {
      for (const frame of frames.chunks) outgoing.target.push(frame)
    }
    return this.#sent()
  }

  /** @internal */
  outputDrained(): void {
    const extras = this.#withExtras
    const ping = extras.unansweredPing
    extras.unansweredPing = undefined
    if (ping !== undefined && this.#ending?.mute !== true) this.#writeControl(Opcode.Pong, ping)
    const isOpen = this.readyState === ReadyState.Open
    if (isOpen) extras.outgoing?.goOn()
    // What waits for the end of a streamed message has not gone.
    if (this.bufferedAmount >= this.settings.highWaterMark) return
    extras.drained?.resolve()
    extras.drained = undefined
    // To whoever may not send any more it is of no use.
    if (!isOpen || !extras.drainOwed) return
    extras.drainOwed = false
    this.#application.drain(this)
  }

  /** @internal */
  outputWaits(): void {
    this.#sent()
  }

  /** @internal */
  written(bytes: Buffer): void {
    // Asked for only while there are some.
    for (const tap of this.#extras!.taps!) tap.written(bytes)
  }

  /** @internal */
  tick(now: number): void {
    if (this.#ending !== undefined) {
      const error = this.#ending.tick(now)
      if (error !== undefined) this.#application.error(this, error)
    } else if (this.#receiver?.held === true) {
      // What is written to a peer that has gone comes back as an error, which is all that can be learned without reading.
      const due = suspend(this, now, this.settings, this.#receiver)
      if (due && !this.#output.blocked) this.#writeControl(Opcode.Ping, EMPTY)
    } else {
      this.#checkPeer(now)
    }
  }

  /** @internal */
  transportDrained(): void {
    this.#output.drained()
  }

  /** @internal */
  transportEnded(): void {
    this.#ownReceiver.end()
  }

  /** @internal */
  endReceived(): void {
    this.#end('network').transportEnded()
  }

  /** @internal */
  transportFailed(error: Error): void {
    if (this.#end('network').transportFailed(error)) this.#application.error(this, error)
  }

  /** @internal */
  transportClosed(): void {
    // `error` stays: a transport may fail once more when it has ended, and nobody else would listen.
    this.socket.off('data', onData).off('drain', onDrain).off('end', onEnd).off('close', onClose)
    const info = this.#end('network').transportClosed()
    const extras = this.#extras
    extras?.outgoing?.stop()
    this.deflate?.end()
    this.settings.counts.closed++
    this.ended()
    for (const tap of extras?.taps ?? []) tap.end()
    this.#application.close(this, info)
    extras?.closed?.resolve(info)
    extras?.drained?.reject(new ConnectionClosedError(info))
    extras?.messages?.end(info)
    extras?.incoming?.end(info)
  }

  /**
   * What `error` was told.
   * @internal
   */
  get told(): Error | undefined {
    return this.#extras?.told
  }
  /** @internal */
  set told(error: Error | undefined) {
    this.#withExtras.told = error
  }

  /** @internal */
  watch(watcher: Watcher): void {
    if (watcher.removed || this.readyState === ReadyState.Closed) return
    const extras = this.#withExtras
    extras.taps = [...(extras.taps ?? []), new Wiretap(this, watcher)]
    this.#output.tapped = true
  }

  /** @internal */
  unwatch(watcher: Watcher): void {
    const extras = this.#extras
    if (extras?.taps === undefined) return
    const others = extras.taps.filter((tap) => tap.watcher !== watcher)
    extras.taps = others.length === 0 ? undefined : others
    this.#output.tapped = others.length > 0
  }

  /** @internal */
  forkDecoder(sink: FrameSink): FrameDecoder | undefined {
    return this.#receiver === undefined ? new FrameDecoder(sink) : this.#receiver.fork(sink)
  }

  /** @internal */
  mistaken(error: Error): void {
    this.#fail(error, CloseCode.InternalError, '')
  }

  /** @internal */
  get ready(): Promise<void> | undefined {
    return this.#extras?.outgoing?.ready
  }

  /**
   * From now on somebody has to call `tick`.
   * @internal
   */
  protected begun(): void {
    this.settings.clock.add(this)
  }

  /**
   * For those who keep lists of connections: this one is over.
   * @internal
   */
  protected ended(): void {
    this.settings.clock.delete(this)
  }

  get #ownReceiver(): Receiver {
    this.#receiver ??= this.settings.receivers.take(this)
    return this.#receiver
  }

  #giveBack(receiver: Receiver): void {
    this.#receiver = undefined
    this.settings.receivers.giveBack(receiver, this)
  }

  get #withExtras(): Extras {
    this.#extras ??= new Extras()
    return this.#extras
  }

  /** The end, which `initiator` begins if it has not begun. */
  #end(initiator: CloseInitiator): Ending {
    this.#ending ??= new Ending(this, this.#output, this.#ownReceiver, initiator)
    return this.#ending
  }

  #fragmentSize(options: SendOptions | undefined): number {
    const given = options?.fragmentSize
    return given === undefined ? this.settings.fragmentSize : checkCount('fragmentSize', given)
  }

  #checkPeer(now: number): void {
    switch (judge(this, now, this.settings, this.#receiver)) {
      case 'fine':
        break
      case 'ping':
        this.#watchUptake()
        this.#writeControl(Opcode.Ping, EMPTY)
        break
      case 'idle':
        this.#end('timeout').close(writeCloseBody(CloseCode.GoingAway, 'idle'))
        break
      case 'silent': {
        // Our Ping may still stand behind what the peer takes.
        if (this.#extras?.uptake?.goesOn() === true) {
          this.pingedAt = now
          break
        }
        const message = 'Nothing was heard from the peer, not even an answer to a Ping'
        const error = new WebSocketError('ERR_WS_HEARTBEAT_TIMEOUT', message)
        this.#end('timeout').failNow(error)
        this.#application.error(this, error)
        break
      }
      case 'stalled': {
        const error = new WebSocketError('ERR_WS_FRAME_TIMEOUT', 'The peer began a frame and did not go on in time')
        this.#end('timeout').fail(error, CloseCode.PolicyViolation)
        this.#application.error(this, error)
      }
    }
  }

  #watchUptake(): void {
    const waits = this.socket.writableLength > 0
    if (waits || this.#extras !== undefined) this.#withExtras.uptake = waits ? new Uptake(this.socket) : undefined
  }

  #sendControl(opcode: number, data: MessageData): boolean {
    const given = payloadOf(data)
    const payload = typeof given === 'string' ? Buffer.from(given) : given
    if (payload.length > MAX_CONTROL_PAYLOAD) {
      throw invalidValue('ERR_WS_INVALID_DATA', `A Ping or Pong has at most 125 octets, this one has ${payload.length}`)
    }
    if (!this.#maySend()) return false
    this.#writeControl(opcode, payload)
    return this.#sent()
  }

  #writeControl(opcode: number, payload: Buffer): void {
    if (opcode === Opcode.Ping) this.#tellPing(payload)
    writeControl(this.#output, opcode, payload, this.settings.role === 'client')
  }

  #tellPing(payload: Buffer): void {
    if (channels.pong.hasSubscribers) this.#withExtras.sentPing = new SentPing(payload)
    if (channels.ping.hasSubscribers) channels.ping.publish({ connection: this, direction: 'out', payload })
  }

  #tellPong(payload: Buffer): void {
    const roundTripTime = this.#extras?.sentPing?.roundTripTime(payload)
    if (roundTripTime !== undefined) this.#withExtras.sentPing = undefined
    channels.pong.publish({ connection: this, payload, roundTripTime })
  }

  /** `data`: but for one that was streamed. */
  #messageReceived(isBinary: boolean, data?: string | Buffer): void {
    this.settings.counts.messagesReceived++
    if (channels.message.hasSubscribers) tellMessage(this, 'in', isBinary, data)
  }

  #messageSent(isBinary: boolean, data?: string | Buffer): void {
    this.settings.counts.messagesSent++
    if (channels.message.hasSubscribers) tellMessage(this, 'out', isBinary, data)
  }

  #write(opcode: number, payload: string | Buffer, fragmentSize: number, compress: boolean | undefined): void {
    const masked = this.settings.role === 'client'
    const { deflate } = this
    if (deflate === undefined || !deflate.wants(payload, compress)) {
      writeMessage(this.#target, opcode, payload, masked, fragmentSize)
      return
    }
    let octets = typeof payload === 'string' ? Buffer.from(payload) : payload
    // 10.3: what happens to a client's octets after the call is not sent, as when it masks a copy of them.
    if (masked && octets === payload && deflate.takesLong(octets)) octets = Buffer.from(octets)
    const compressed = deflate.compress(octets)
    if (compressed instanceof Promise) {
      const frames = compressed.then((made) =>
        made === undefined
          ? framesOf(opcode, octets, masked, fragmentSize)
          : framesOf(opcode | RSV1, made, masked, fragmentSize),
      )
      void this.#queued().sendLater(octets.length, frames)
    } else if (compressed === undefined) {
      writeMessage(this.#target, opcode, octets, masked, fragmentSize)
    } else {
      writeMessage(this.#target, opcode | RSV1, compressed, masked, fragmentSize)
    }
  }

  /** The messages that cannot leave at once. */
  #queued(): Outgoing {
    const extras = this.#withExtras
    extras.outgoing ??= new Outgoing({
      target: this.#output,
      isOpen: () => this.readyState === ReadyState.Open,
      maySend: () => this.#ending?.finished !== true,
      written: () => this.#streamWritten(),
      failed: (thrown) => this.#fail(sourceError(thrown), CloseCode.InternalError, ''),
      passed: () => this.#streamPassed(),
    })
    return extras.outgoing
  }

  /** Where a message goes that is sent now: out, or behind those that cannot leave yet. */
  get #target(): FrameTarget {
    return this.#extras?.outgoing?.target ?? this.#output
  }

  /** Whether anything may be sent: the connection is open, and not more waits than may wait. */
  #maySend(): boolean {
    if (this.#ending !== undefined) return false
    const { highWaterMark, maxBufferedAmount: limit } = this.settings
    // Who has never been at the high-water mark is not at the limit.
    if (this.#extras === undefined && highWaterMark <= limit) return true
    if (this.bufferedAmount < limit) return true
    this.#output.flush()
    if (this.bufferedAmount < limit) return true
    const message = `At least ${limit} octets wait for a peer that does not read; heed what send() answers, or raise maxBufferedAmount`
    const error = new WebSocketError('ERR_WS_BUFFER_OVERFLOW', message)
    this.#end('local').failNow(error)
    this.#application.error(this, error)
    return false
  }

  /** The answer for what was just queued. */
  #sent(): boolean {
    const { highWaterMark } = this.settings
    if (this.bufferedAmount < highWaterMark) return true
    this.#output.flush()
    if (this.bufferedAmount < highWaterMark) return true
    this.#withExtras.drainOwed = true
    this.#output.askDrain()
    return false
  }

  #streamWritten(): boolean {
    this.activeAt = this.settings.clock.now
    const { highWaterMark } = this.settings
    if (this.#output.bufferedAmount < highWaterMark) return true
    this.#output.flush()
    if (this.#output.bufferedAmount < highWaterMark) return true
    this.#output.askDrain()
    return false
  }

  #streamPassed(): void {
    // Whoever was told to wait because of this message need not any more.
    const extras = this.#withExtras
    if (extras.drainOwed || extras.drained !== undefined) this.#output.askDrain()
  }

  #failedToReceive(error: unknown): void {
    if (error instanceof ProtocolError) {
      for (const tap of this.#extras?.taps ?? []) tap.failed()
      this.#fail(error, error.closeCode, error.message)
    } else {
      this.#application.threw(this, error)
    }
  }

  #fail(error: Error, closeCode: number, reason: string): void {
    if (this.readyState === ReadyState.Closed) return
    this.#end('local').fail(error, closeCode, reason)
    this.#application.error(this, error)
  }

  #enqueue(message: Message, isBinary: boolean): void {
    const queue = this.#queue()
    if (!isBinary && typeof message !== 'string') octetsOfText.add(message)
    if (this.readyState !== ReadyState.Open) {
      queue.offer(message)
      return
    }
    queue.push(message)
    if (queue.full) this.#ownReceiver.hold(Hold.Queue)
  }

  #queue(): MessageQueue {
    const extras = this.#withExtras
    if (extras.messages === undefined) {
      extras.messages = new MessageQueue(() => this.#receiver?.release(Hold.Queue))
      if (this.#ending?.info !== undefined) extras.messages.end(this.#ending.info)
    }
    return extras.messages
  }

  #messageStreams({ maxMessageSize, maxPartSize = MAX_PART_SIZE }: MessagesOptions): MessageStreams {
    if (maxMessageSize !== undefined) checkCount('maxMessageSize', maxMessageSize)
    checkCount('maxPartSize', maxPartSize)
    const extras = this.#withExtras
    if (extras.incoming === undefined) {
      const decodes = this.settings.text === 'string'
      const incoming = new Incoming(() => this.#receiver?.release(Hold.Queue), decodes, maxPartSize)
      extras.incoming = incoming
      for (const message of extras.messages?.takeAll() ?? []) {
        incoming.add(message, typeof message !== 'string' && !octetsOfText.has(message))
      }
      this.#ownReceiver.stream(maxMessageSize)
      if (this.#ending?.info !== undefined) incoming.end(this.#ending.info)
    }
    return new MessageStreams(extras.incoming)
  }
}

function notOptions(): TypeError {
  return invalidType('ERR_WS_INVALID_OPTION', 'The options of send are an object, such as { binary: true }')
}

/** 7.4.1: a server that misses an extension refuses the opening handshake instead. */
function clientsCode(): RangeError {
  return invalidValue('ERR_WS_INVALID_CLOSE_CODE', 'Close code 1010 is for clients; a server uses 1002 or 1008')
}

function sourceError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown
  return new WebSocketError('ERR_WS_SOURCE', 'The source of a streamed message threw', { cause: thrown })
}
