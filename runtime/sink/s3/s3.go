// SPDX-License-Identifier: Apache-2.0

// Package s3 is the sink that puts rows into a bucket of Amazon S3, or of a
// server that speaks its protocol: each batch is an object.
//
// An object is called after its batch, and is put only where none of that name
// is: a batch whose answer was lost, or that the next agent sends again, is
// there once.
//
// Credentials are not settings. They come from where all of AWS's own tools
// take them: variables, shared files, web identities, containers, machines.
package s3

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/redsift/ingraind/runtime"
)

// Part is the sink "s3".
func Part() runtime.Part { return PartWith() }

// PartWith is the sink "s3" with more formats than its own two.
func PartWith(more ...Format) runtime.Part {
	formats, texts := append(own(), more...), licences
	for _, f := range more {
		texts += f.Licences
	}
	return runtime.Part{
		Name: "s3",
		Help: "Puts rows into an S3 bucket, an object for each batch.",
		Settings: []runtime.Setting{
			{Name: "bucket", Help: "The bucket; required."},
			{Name: "prefix", Help: "What all keys begin with, and a slash."},
			{Name: "region", Help: "Where the bucket is, such as eu-west-2; as AWS's own tools have it when it is not set."},
			{Name: "endpoint", Help: "The URL of a server that is not Amazon's, such as http://127.0.0.1:9000."},
			{Name: "path_style", Default: "auto", Help: "true: the bucket is in the path of URLs; false: in the host. auto: true with an endpoint."},
			{Name: "layout", Default: "hive", Help: "hive: PREFIX/grain=exec/dt=2026-11-23/hour=12/HOST-BATCH; flat: PREFIX/HOST_NANOSECONDS_BATCH."},
			{Name: "format", Default: "ndjson", Help: helpOf(formats)},
			{Name: "compression", Default: "zstd", Help: "zstd, gzip or none."},
			{Name: "storage_class", Help: "Such as STANDARD_IA; the bucket's own when it is not set."},
			{Name: "sse", Help: "How the server encrypts: AES256 or aws:kms; as the bucket says when it is not set."},
			{Name: "kms_key", Help: "The key for sse=aws:kms; the account's own when it is not set."},
			{Name: "timeout", Default: "30s", Help: "How long putting one object may take; 0 for no bound."},
			{Name: "interval", Default: "10s", Help: "How old a row may become before its object is put; a full one is put at once."},
			{Name: "object_size", Default: "1MiB", Help: "How many bytes of rows, before compression, fill an object: 64KiB to 64MiB. One waits in memory for each grain, or event."},
		},
		Spool: runtime.SpoolAlways,
		Variables: []runtime.Variable{
			{Name: "AWS_BUCKET", Help: "Turns the sink s3 on, with this bucket. AWS_S3_BUCKET does the same."},
			{Name: "AWS_INTERVAL", Help: "The interval of the sink s3, in seconds."},
			{Name: "AWS_ENDPOINT_URL", Help: "The endpoint of the sink s3. AWS_ENDPOINT_URL_S3 does the same."},
			{Name: "AWS_REGION", Help: "The region of the sink s3, and all else that AWS's own tools heed."},
		},
		Environ:  environ,
		Open:     func(s runtime.Settings) (runtime.Sink, error) { return open(s, formats) },
		Licences: texts,
	}
}

// licences are those of what this sink links.
//
//go:embed licences.txt
var licences string

// environ is what the environment asks for. The region and credentials are
// left to the library, which knows more places for them.
func environ(lookup func(string) string) (runtime.Settings, bool) {
	s := runtime.Settings{}
	for _, name := range []string{"AWS_BUCKET", "AWS_S3_BUCKET"} {
		if bucket := lookup(name); bucket != "" {
			s["bucket"] = bucket
			break
		}
	}
	for _, name := range []string{"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"} {
		if url := lookup(name); url != "" { // the library knows them, but not what path_style makes of them
			s["endpoint"] = url
			break
		}
	}
	if seconds := lookup("AWS_INTERVAL"); seconds != "" {
		s["interval"] = seconds + "s"
	}
	return s, s["bucket"] != ""
}

// bucket puts objects.
type bucket struct {
	client   *s3.Client
	name     string
	keys     keys
	body     body
	encoding runtime.Encoding
	class    types.StorageClass
	sse      types.ServerSideEncryption
	kmsKey   *string
	timeout  time.Duration
	interval time.Duration
	size     int // bytes of rows
}

func open(s runtime.Settings, formats []Format) (runtime.Sink, error) {
	timeout, timeoutErr := s.Duration("timeout")
	interval, intervalErr := s.Duration("interval")
	style, styleErr := pathStyle(s)
	keys, keysErr := newKeys(s)
	format, formatErr := formatOf(formats, s.Text("format"))
	compression, compressionErr := parseCompression(s.Text("compression"))
	size, sizeErr := s.Bytes("object_size")
	if sizeErr == nil && (size < leastSize || size > runtime.LargestBatch) {
		sizeErr = fmt.Errorf("object_size: %s is not within 64KiB and 64MiB", s.Text("object_size"))
	}
	if err := errors.Join(bucketName(s), endpoint(s), styleErr, keysErr, formatErr, compressionErr, encryption(s), timeoutErr, intervalErr, sizeErr); err != nil {
		return nil, err
	}
	body, err := newBody(format, Packing{Compression: compression, Foldered: !keys.flat})
	if err != nil {
		return nil, err
	}
	c, err := config.LoadDefaultConfig(context.Background(),
		config.WithHTTPClient(awshttp.NewBuildableClient()), // not net/http's: AWS_CA_BUNDLE wants one that it can change
		config.WithRetryer(func() aws.Retryer { return aws.NopRetryer{} }))
	if err != nil {
		return nil, fmt.Errorf("settings of AWS in the environment, or in its files: %w", err)
	}
	if region := s.Text("region"); region != "" {
		c.Region = region
	}
	if c.Region == "" {
		if s.Text("endpoint") == "" {
			return nil, errors.New("region: it is not set, and neither is AWS_REGION: want one such as eu-west-2")
		}
		c.Region = "us-east-1" // which servers of others take
	}
	b := &bucket{
		client: s3.NewFromConfig(c, func(o *s3.Options) {
			o.UsePathStyle = style
			if url := s.Text("endpoint"); url != "" {
				o.BaseEndpoint = aws.String(url)
			}
		}),
		name: s.Text("bucket"), keys: keys, body: body, encoding: format.Encoding(),
		class:   types.StorageClass(s.Text("storage_class")),
		sse:     types.ServerSideEncryption(s.Text("sse")),
		timeout: timeout, interval: interval, size: int(size),
	}
	if key := s.Text("kms_key"); key != "" {
		b.kmsKey = aws.String(key)
	}
	return b, nil
}

// Encoding is that of the format.
func (b *bucket) Encoding() runtime.Encoding { return b.encoding }

// Partition says that an object holds rows of one grain, or event, and one hour.
func (b *bucket) Partition() runtime.Partition { return b.body.Partition }

// Interval is how old rows may become before they are put.
func (b *bucket) Interval() time.Duration { return b.interval }

// Size is how many bytes of rows fill an object.
func (b *bucket) Size() int { return b.size }

const leastSize = 64 << 10

// Ship puts the batch, unless it is there.
func (b *bucket) Ship(ctx context.Context, batch *runtime.Batch) error {
	content, err := b.body.of(batch.Bytes)
	if err != nil {
		return err
	}
	if b.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, b.timeout)
		defer cancel()
	}
	key := b.keys.of(batch) + b.body.Extension
	if len(content) > onePut {
		return b.judge(ctx, b.putParts(ctx, key, content))
	}
	_, err = b.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket:               &b.name,
		Key:                  &key,
		Body:                 bytes.NewReader(content),
		ContentType:          &b.body.ContentType,
		IfNoneMatch:          aws.String("*"),
		ChecksumAlgorithm:    types.ChecksumAlgorithmCrc32,
		StorageClass:         b.class,
		ServerSideEncryption: b.sse,
		SSEKMSKeyId:          b.kmsKey,
	})
	return b.judge(ctx, err)
}

// Close has nothing to flush.
func (b *bucket) Close() error { return b.body.close() }

func bucketName(s runtime.Settings) error {
	if s.Text("bucket") == "" {
		return errors.New("bucket: the s3 sink needs one; AWS_BUCKET may name it as well")
	}
	return nil
}

// endpoint does not repeat what it is given, which may hold a password.
func endpoint(s runtime.Settings) error {
	text := s.Text("endpoint")
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return errors.New("endpoint: it is no URL such as https://s3.example.com")
	}
	if u.User != nil {
		return errors.New("endpoint: it holds a user: credentials belong into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	}
	return nil
}

func pathStyle(s runtime.Settings) (bool, error) {
	if s.Text("path_style") == "auto" {
		return s.Text("endpoint") != "" || os.Getenv("AWS_ENDPOINT_URL") != "" || os.Getenv("AWS_ENDPOINT_URL_S3") != "", nil
	}
	style, err := s.Bool("path_style")
	if err != nil {
		return false, fmt.Errorf("path_style: %q is none of auto, true, false", s.Text("path_style"))
	}
	return style, nil
}

func encryption(s runtime.Settings) error {
	switch s.Text("sse") {
	case "", "AES256":
		if s.Text("kms_key") != "" {
			return errors.New("kms_key: it needs sse=aws:kms")
		}
	case "aws:kms":
	default:
		return fmt.Errorf("sse: %q is neither AES256 nor aws:kms", s.Text("sse"))
	}
	return nil
}
