import type { TransparencyLogEntry } from '@sigstore/bundle';
import { array, base64, object, safeInteger, text } from './json-shape';
import { invalid } from './signature-fault';

const INCLUSION_PROOF = object(
  { rootHash: base64, treeSize: safeInteger },
  { logIndex: safeInteger, hashes: array(base64, 64), checkpoint: object({ envelope: text }, {}) },
);

/** Members that are zero may be left out (protobuf JSON mapping). */
export const LOG_ENTRY = object(
  {
    logId: object({ keyId: base64 }, {}),
    kindVersion: object({ kind: text, version: text }, {}),
    canonicalizedBody: base64,
  },
  {
    logIndex: safeInteger,
    integratedTime: safeInteger,
    inclusionPromise: object({ signedEntryTimestamp: base64 }, {}),
    inclusionProof: INCLUSION_PROOF,
  },
);

type Read = ReturnType<typeof LOG_ENTRY>;

/** @throws SignatureFault for an entry whose time or place nothing proves */
export function logEntryOf({
  logId,
  kindVersion,
  canonicalizedBody,
  inclusionPromise,
  inclusionProof,
  ...entry
}: Read): TransparencyLogEntry {
  const { logIndex = '0', integratedTime = '0' } = entry;
  if (!inclusionPromise && integratedTime !== '0') throw invalid('a log entry has a time and no promise of the log that proves it');
  if (!inclusionPromise && inclusionProof && (inclusionProof.logIndex ?? '0') !== logIndex) {
    throw invalid('the index of a log entry is not that of its proof');
  }
  if (inclusionProof && !inclusionProof.checkpoint) throw invalid('the proof of a log entry has no checkpoint', 'checkpoint-invalid');
  return {
    logIndex,
    logId,
    kindVersion,
    integratedTime,
    inclusionPromise,
    inclusionProof: inclusionProof && {
      logIndex: inclusionProof.logIndex ?? '0',
      rootHash: inclusionProof.rootHash,
      treeSize: inclusionProof.treeSize,
      hashes: [...(inclusionProof.hashes ?? [])],
      checkpoint: inclusionProof.checkpoint,
    },
    canonicalizedBody,
  };
}
