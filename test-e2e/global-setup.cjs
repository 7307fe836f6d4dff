require('../tools/testing/typescript.cjs');

module.exports = async () => {
  const { StackHost } = require('./stack-host.ts');
  globalThis.stackHost = await StackHost.open();
};
