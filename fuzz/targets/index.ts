/** All targets, in the order in which a run takes them. */
import { api } from './api.ts'
import { close } from './close.ts'
import { extensions } from './extensions.ts'
import { frames } from './frames.ts'
import { request } from './request.ts'
import { response } from './response.ts'
import type { Target } from './target.ts'

export const targets: readonly Target[] = [request, response, frames, extensions, close, api]
