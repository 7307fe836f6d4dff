/**
 * Lists of the OCI door, each one statement that gives one value: the tenant is set for its transaction, and row-level security holds. As in
 * `registry.read_manifest`, the same is asked about another tenant's repository that shows nothing and about one that there is not.
 */
const SHOWS_NOTHING = `caller is distinct from namespace
    and not (registry.shows_version_of(namespace, repo) or registry.is_public(namespace))`;

/** Tags of a repository of either kind: those clients set, and those that versions and channels of a pack are pulled by. Null: no such repository. */
const LIST_TAGS = `
create function registry.list_tags(caller text, namespace text, repo text, after text, most integer, may_push boolean) returns text[]
language plpgsql set search_path = pg_catalog as $$
declare of_kind text;
begin
  perform set_config('app.tenant', caller, true);
  if ${SHOWS_NOTHING} then return null; end if;
  select r.kind into of_kind from registry.repositories r where r.tenant = namespace and r.name = repo;
  if of_kind is null then return null; end if;
  if of_kind = 'generic' then
    return array(select g.tag from registry.tags g where g.tenant = namespace and g.repository = repo and g.tag > after order by g.tag limit most);
  end if;
  return array(select t.tag from (
    (select g.tag from registry.tags g where g.tenant = namespace and g.repository = repo and g.tag > after order by g.tag limit most)
    union all
    (select replace(v.version, '+', '_') collate "C" from registry.pack_versions v
     where v.tenant = namespace and v.pack_id = repo and (replace(v.version, '+', '_') collate "C") > after
     order by (replace(v.version, '+', '_') collate "C") limit most)
    union all
    (select h.channel from registry.channel_heads h
     where h.tenant = namespace and h.pack_id = repo and h.channel > after order by h.channel limit most)
    union all
    (select replace(p.version, '+', '_') collate "C" from registry.pending_versions p
     where may_push and p.tenant = namespace and p.pack_id = repo and (replace(p.version, '+', '_') collate "C") > after
     order by (replace(p.version, '+', '_') collate "C") limit most)
  ) t(tag) order by t.tag collate "C" limit most);
end $$;`;

/** Of a pack's version that waits for signatures only those hear who may push. Null: none. */
const LIST_REFERRERS = `
create function registry.list_referrers(caller text, namespace text, repo text, of_subject text, after text, of_type text, most integer,
  may_push boolean) returns json
language plpgsql set search_path = pg_catalog as $$
declare found_all json;
begin
  perform set_config('app.tenant', caller, true);
  if ${SHOWS_NOTHING} then return null; end if;
  if not may_push and exists (select from registry.pending_versions p
    where p.tenant = namespace and p.pack_id = repo and p.manifest_digest = of_subject) then return null; end if;
  select json_agg(json_build_array(d.digest, d.media_type, d.size, d.artifact_type, d.annotations)) into found_all from (
    -- Its size one by one, of those on the page alone.
    select m.digest, m.media_type, (select b.size from content.blobs b where b.digest = m.digest) as size, m.artifact_type, m.annotations
    from registry.manifests m
    where m.tenant = namespace and m.repository = repo and m.subject = of_subject and m.digest > after
      and (of_type is null or m.artifact_type = of_type)
    order by m.digest limit most) d;
  return found_all;
end $$;`;

const CALLS = `registry.list_tags(text, text, text, text, integer, boolean),
  registry.list_referrers(text, text, text, text, text, text, integer, boolean)`;

export const REPOSITORY_LISTS = `${LIST_TAGS}${LIST_REFERRERS}
revoke execute on function ${CALLS} from public;
grant execute on function ${CALLS} to packs_gateway;`;
