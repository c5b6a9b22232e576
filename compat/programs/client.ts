/**
 * Our client as a program: makes all checks against a stage, prints what came of each, as JSON, and ends by itself.
 * `PROGRAM ENDPOINTS CA`, where the first is what the stage's program prints, and the second a file.
 */
import { readFileSync } from 'node:fs'
import process from 'node:process'
import { tryCheck } from './check.ts'
import { otherWays } from './other-ways.ts'
import { ourClient } from './our-client.ts'
import { ourServer } from './our-server.ts'
import type { Endpoints } from './stage.ts'

const [, , json, ca] = process.argv
const endpoints = JSON.parse(json) as Endpoints
const target = { ...endpoints, url: endpoints.ws, ca: readFileSync(ca, 'utf8') }
for (const check of [...ourClient, ...ourServer, ...otherWays]) {
  console.log(JSON.stringify(await tryCheck(check, target)))
}
