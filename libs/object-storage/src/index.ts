export { FileBlobStore } from './file-blob-store';
export { openBlobStore, openBlobStoreToRead, openReportingBlobStore } from './open-blob-store';
