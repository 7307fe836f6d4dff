/**
 * The attestations of a version of this alias, the newest first, as `JudgeableAttestation`s. What is contested counts for no decision that is still to be
 * made; a version that was let in by it stays what it is.
 */
export function judgeableAttestations(version: string): string {
  return `(select json_agg(json_build_object('digest', a.digest, 'size', ab.size, 'objectKey', ab.object_key, 'mediaType', a.media_type,
       'predicateType', a.predicate_type, 'contested', a.state = 'contested') order by a.added_at desc, a.digest)
     from registry.pack_provenance a join content.blobs ab on ab.digest = a.digest
     where a.tenant = ${version}.tenant and a.pack_id = ${version}.pack_id and a.version = ${version}.version)`;
}
