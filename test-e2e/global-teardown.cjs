module.exports = async () => {
  await globalThis.stackHost?.close();
};
