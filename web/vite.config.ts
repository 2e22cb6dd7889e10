// SPDX-License-Identifier: Apache-2.0
// One build, three pages: dist/{console,driver,partner}/index.html with hashed files under /assets/. The server's content
// policy is `default-src 'self'`: nothing may be inlined but styles and pictures, hence no inlined fonts, and Vant's icon
// font (a data: address, plus one on somebody else's host) is replaced by a few drawn masks.
import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig, type Plugin } from 'vite'

const here = (p: string) => fileURLToPath(new URL(p, import.meta.url))

// Outlines (24 × 24) of the icons that the Vant components in use draw by themselves.
const MASKS: Record<string, string> = {
  arrow: 'm9 5 7 7-7 7',
  'arrow-left': 'm15 5-7 7 7 7',
  'arrow-down': 'm5 9 7 7 7-7',
  cross: 'm5 5 14 14M19 5 5 19',
  clear: 'm6 6 12 12M18 6 6 18',
  success: 'm4 12 6 6L20 6',
  fail: 'm5 5 14 14M19 5 5 19',
  'warning-o': 'M12 4v11M12 19v1',
}

function vantIcons(): Plugin {
  return {
    name: 'even-vant-icons',
    enforce: 'pre',
    transform(code, id) {
      if (!/vant[\\/]es[\\/]icon[\\/]index\.css/.test(id)) return null
      let css = '.van-icon{position:relative;display:inline-block;line-height:1;font-size:inherit}'
      css += '.van-icon:before{display:inline-block;content:"";width:1em;height:1em;background:currentColor}'
      for (const [name, d] of Object.entries(MASKS)) {
        const svg = `<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24' fill='none' stroke='black' ` +
          `stroke-width='2' stroke-linecap='round' stroke-linejoin='round'><path d='${d}'/></svg>`
        const url = `url("data:image/svg+xml,${encodeURIComponent(svg)}")`
        css += `.van-icon-${name}:before{-webkit-mask:${url} center/contain no-repeat;mask:${url} center/contain no-repeat}`
      }
      return { code: css, map: null }
    },
  }
}

export default defineConfig({
  plugins: [vantIcons(), vue()],
  resolve: { alias: { '@': here('./src') } },
  define: {
    __VUE_OPTIONS_API__: 'true',
    __VUE_PROD_DEVTOOLS__: 'false',
    __VUE_I18N_FULL_INSTALL__: 'false',
    __VUE_I18N_LEGACY_API__: 'false',
    __INTLIFY_PROD_DEVTOOLS__: 'false',
  },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1200,
    reportCompressedSize: false,
    rollupOptions: {
      input: {
        console: here('./console/index.html'),
        driver: here('./driver/index.html'),
        partner: here('./partner/index.html'),
      },
    },
  },
  test: { include: ['tests/**/*.test.ts'], environment: 'node' },
} as Parameters<typeof defineConfig>[0])
