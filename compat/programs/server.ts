/** The stage as a program: prints where it listens, as JSON, and serves until it is told to end. `PROGRAM KEY CERT SOCKET` */
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { startStage } from './stage.ts'

const [, , key, cert, socketPath] = process.argv
const stage = await startStage({ key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8'), socketPath })
const { ws, wss, attached } = stage
console.log(JSON.stringify({ ws, wss, attached, socketPath }))
process.once('SIGTERM', () => void stage.close())
