export { aPack, type PackChanges } from './a-pack';
export { describeBlobStore } from './blob-store.conformance';
export { aSigner } from './ephemeral-signer';
export { eventually } from './eventually';
export { FixedClock } from './fixed-clock';
export { InMemoryBlobStore } from './in-memory-blob-store';
export { ScriptedCommandBus } from './scripted-command-bus';
export { testDatabase, type TestDatabase } from './test-database';
export { testNats, TestNats } from './test-nats';
