/** The WebSocket of undici. */
import { WebSocket } from 'undici'
import { keepBusy, standard } from './traffic.ts'

keepBusy(standard(WebSocket))
