// SPDX-License-Identifier: Apache-2.0

package s3

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/redsift/ingraind/runtime"
	"github.com/redsift/ingraind/runtime/sink/internal/answer"
)

// judge says what the answer to a put means. Texts hold nothing that differs
// from try to try, such as the number of a request: equal ones are said once.
//
// What somebody can mend while the agent runs is tried again: rights, keys, a
// bucket that is not there. What is wrong about the object is not.
func (b *bucket) judge(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	var response *smithyhttp.ResponseError
	if !errors.As(err, &response) || response.HTTPStatusCode() == 0 { // 0: it was sent, and nothing came
		return b.unanswered(ctx, err)
	}
	status := response.HTTPStatusCode()
	code := strconv.Itoa(status)
	if api := smithy.APIError(nil); errors.As(err, &api) && api.ErrorCode() != "" {
		code = api.ErrorCode()
	}
	if status == http.StatusPreconditionFailed {
		return nil // it is there: the answer to an earlier try was lost
	}
	said := fmt.Errorf("bucket %s: the server answers %d %s%s", b.name, status, code, hint(status, code))
	if hopeless(status, code) {
		return runtime.Permanent(said)
	}
	if after, ok := answer.RetryAfter(response.Response.Header); ok {
		return runtime.RetryAfter(said, after)
	}
	return said
}

// unanswered is the error of a request that got no answer.
func (b *bucket) unanswered(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("bucket %s: no answer after timeout=%s", b.name, b.timeout)
	}
	if text := err.Error(); strings.Contains(text, "get credentials") || strings.Contains(text, "retrieve credentials") {
		return fmt.Errorf("bucket %s: there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or give the machine or the pod a role", b.name)
	}
	// Without the port of our end, which is another each time.
	if op := (*net.OpError)(nil); errors.As(err, &op) {
		return fmt.Errorf("bucket %s: %s %s: %w", b.name, op.Op, op.Addr, op.Err)
	}
	if dns := (*net.DNSError)(nil); errors.As(err, &dns) {
		return fmt.Errorf("bucket %s: %w", b.name, dns)
	}
	if u := (*url.Error)(nil); errors.As(err, &u) { // without the key, which is another for each batch
		return fmt.Errorf("bucket %s: %w", b.name, u.Err)
	}
	if send := (*smithyhttp.RequestSendError)(nil); errors.As(err, &send) {
		return fmt.Errorf("bucket %s: %w", b.name, send.Err)
	}
	return fmt.Errorf("bucket %s: %w", b.name, err)
}

// hint is what to do about an answer.
func hint(status int, code string) string {
	switch code {
	case "NoSuchBucket":
		return ": there is no such bucket: make it, or set bucket to another"
	case "SignatureDoesNotMatch":
		return ": the secret is not that of the key: look at AWS_SECRET_ACCESS_KEY"
	case "InvalidAccessKeyId", "XAdminUserNotFound":
		return ": the server does not know the key: look at AWS_ACCESS_KEY_ID"
	case "ExpiredToken", "TokenRefreshRequired", "InvalidToken":
		return ": the session's credentials have ended, or are not valid"
	case "RequestTimeTooSkewed":
		return ": the clock of this machine is wrong"
	case "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException":
		return ": the bucket is elsewhere: set region to where it is"
	case "InvalidStorageClass":
		return ": look at storage_class"
	}
	switch {
	case status == http.StatusMovedPermanently:
		return ": the bucket is elsewhere: set region to where it is"
	case status == http.StatusForbidden:
		return ": these credentials need s3:PutObject on it"
	case strings.HasPrefix(code, "KMS."):
		return ": look at kms_key"
	}
	return ""
}

// hopeless reports whether the same put will be answered the same for ever.
func hopeless(status int, code string) bool {
	switch code {
	case "EntityTooLarge", "KeyTooLongError", "InvalidURI", "InvalidArgument", "InvalidRequest", "InvalidStorageClass",
		"InvalidEncryptionAlgorithmError", "MethodNotAllowed", "NotImplemented", "InvalidBucketName":
		return true
	}
	switch status {
	case http.StatusMethodNotAllowed, http.StatusRequestEntityTooLarge, http.StatusRequestURITooLong, http.StatusNotImplemented:
		return true
	}
	return false
}
