// small files stay files, as large ones do
export default {
  worker: { format: 'es' },
  build: { assetsInlineLimit: 0, rollupOptions: { input: ['index.html', 'other.html'] } },
};
