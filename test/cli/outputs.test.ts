/** Where reports go. */
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { conform } from '../../src/cli/conform.ts'
import { CommandError } from '../../src/cli/io.ts'
import { readOptions } from '../../src/cli/options.ts'
import { Outputs } from '../../src/cli/outputs.ts'
import { formatHtml, formatReport, toJson } from '../../src/conformance/index.ts'
import { mixedReport } from '../conformance/report/made-up.ts'
import { fakeIo, temporaryFolder } from './support.ts'

function outputs(...args: string[]): Outputs {
  return new Outputs(readOptions(args, conform.options))
}

const report = mixedReport()

describe('Outputs', () => {
  it('shows the report on standard output', () => {
    const io = fakeIo()
    outputs().write(report, io)
    expect(io.stdout.text).toBe(formatReport(report))
    expect(io.stderr.text).toBe('')
  })

  it('shows it as the terminal has it', () => {
    const io = fakeIo(90)
    outputs().write(report, io)
    expect(io.stdout.text).toBe(formatReport(report, { columns: 90, colors: true }))
  })

  it('writes nothing but JSON to standard output if asked', () => {
    const io = fakeIo()
    outputs('--json').write(report, io)
    expect(JSON.parse(io.stdout.text)).toEqual(toJson(report))
    expect(io.stderr.text).toBe(formatReport(report))
  })

  it('writes files, over what was there', () => {
    const folder = temporaryFolder()
    const [json, html] = [join(folder, 'report.json'), join(folder, 'report.html')]
    writeFileSync(json, 'x'.repeat(1_000_000))
    const io = fakeIo()
    const both = outputs('--json', json, '--report', html, '--all-logs')
    expect(readFileSync(json, 'utf8')).toHaveLength(1_000_000)
    both.write(report, io)
    expect(JSON.parse(readFileSync(json, 'utf8'))).toEqual(toJson(report, { allLogs: true }))
    expect(readFileSync(html, 'utf8')).toBe(formatHtml(report, { allLogs: true }))
    expect(io.stdout.text).toBe(formatReport(report))
  })

  it('refuses a path that cannot be written before anything is run', () => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'folder'))
    expect(() => outputs('--json', join(folder, 'folder'))).toThrow(CommandError)
    expect(() => outputs('--report', join(folder, 'folder'))).toThrow('(EISDIR)')
    expect(() => outputs('--json', join(folder, 'new.json'), '--report', join(folder, 'none', 'x'))).toThrow('(ENOENT)')
    expect(readdirSync(folder)).toEqual(['folder'])
  })

  it('leaves no empty file behind when there is nothing to write, and every older one as it was', () => {
    const folder = temporaryFolder()
    const [json, html] = [join(folder, 'report.json'), join(folder, 'report.html')]
    writeFileSync(json, 'older')
    outputs('--json', json, '--report', html).discard()
    outputs().discard()
    expect(readFileSync(json, 'utf8')).toBe('older')
    expect(existsSync(html)).toBe(false)
  })

  it('says that a run was interrupted', () => {
    const io = fakeIo()
    io.interrupt()
    outputs().write(report, io)
    expect(io.stdout.text).toContain('\nInterrupted: not all cases were run.\n')
  })
})
