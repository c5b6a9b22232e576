/** As much of mitata as is used, for whoever has not installed the packages of the bench. */
declare module 'mitata' {
  export interface Options {
    readonly gc: boolean
    readonly min_cpu_time: number
    readonly min_samples: number
    readonly batch_samples: number
    readonly batch_threshold: number
    readonly warmup_threshold: number
  }
  /** Nanoseconds of one call. */
  export function measure(run: () => unknown, options: Options): Promise<{ readonly p50: number }>
}
