// SPDX-License-Identifier: Apache-2.0

package s3

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

const (
	onePut   = 16 << 20 // what is larger is put in parts
	partSize = 8 << 20  // of at least 5 MiB, but for the last (S3's "Multipart upload limits")
)

// putParts puts an object part after part. It is there when the last request is
// answered, unless it was there before; parts of an upload that fails are taken
// back, or left to the bucket's lifecycle when the server does not answer.
func (b *bucket) putParts(ctx context.Context, key string, content []byte) error {
	begun, err := b.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
		Bucket:               &b.name,
		Key:                  &key,
		ContentType:          &b.body.ContentType,
		ChecksumAlgorithm:    types.ChecksumAlgorithmCrc32,
		StorageClass:         b.class,
		ServerSideEncryption: b.sse,
		SSEKMSKeyId:          b.kmsKey,
	})
	if err != nil {
		return err
	}
	parts, err := b.putEach(ctx, key, begun.UploadId, content)
	if err == nil {
		_, err = b.client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
			Bucket: &b.name, Key: &key, UploadId: begun.UploadId,
			MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
			IfNoneMatch:     aws.String("*"),
		})
	}
	if err != nil {
		// For what it is worth: what is wrong is said of the upload.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_, _ = b.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &b.name, Key: &key, UploadId: begun.UploadId})
	}
	return err
}

func (b *bucket) putEach(ctx context.Context, key string, upload *string, content []byte) ([]types.CompletedPart, error) {
	var parts []types.CompletedPart
	for part := range slices.Chunk(content, partSize) {
		number := aws.Int32(int32(len(parts) + 1))
		put, err := b.client.UploadPart(ctx, &s3.UploadPartInput{
			Bucket: &b.name, Key: &key, UploadId: upload, PartNumber: number,
			Body: bytes.NewReader(part), ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
		})
		if err != nil {
			return nil, err
		}
		parts = append(parts, types.CompletedPart{PartNumber: number, ETag: put.ETag, ChecksumCRC32: put.ChecksumCRC32})
	}
	return parts, nil
}
