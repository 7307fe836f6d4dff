export { JsonFault, parseStrictJson, type JsonLimits } from '@packs/domain';
