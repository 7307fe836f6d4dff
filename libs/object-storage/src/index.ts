export { FileBlobStore } from './file-blob-store';
export { openBlobStore, openReportingBlobStore } from './open-blob-store';
