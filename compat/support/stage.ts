/** Our own server and its certificates, in a folder that goes with it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startStage } from '../programs/stage.ts'
import type { Stage, StageOptions } from '../programs/stage.ts'
import { writeCertificates } from './certificates.ts'
import type { CertificateFiles } from './certificates.ts'

export interface OwnStage {
  readonly folder: string
  readonly stage: Stage
  readonly certificates: CertificateFiles
  end(): Promise<void>
}

/** `name`: the matrix that it is for. */
export async function ownStage(name: string, more: Pick<StageOptions, 'page'> = {}): Promise<OwnStage> {
  const folder = await mkdtemp(join(tmpdir(), `fullduplex-${name}-`))
  const certificates = await writeCertificates(folder)
  const stage = await startStage({ ...certificates.pem, socketPath: join(folder, 'socket'), ...more })
  const end = async (): Promise<void> => {
    await stage.close()
    await rm(folder, { recursive: true, force: true })
  }
  return { folder, stage, certificates, end }
}
