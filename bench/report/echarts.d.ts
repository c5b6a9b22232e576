/** As much of echarts as is used, for whoever has not installed the packages of the bench. */
declare module 'echarts' {
  interface Drawing {
    setOption(option: object): void
    renderToSVGString(): string
    dispose(): void
  }
  interface Options {
    readonly renderer: 'svg'
    readonly ssr: true
    readonly width: number
    readonly height: number
  }
  export function init(element: null, theme: null, options: Options): Drawing
}
