// Command pop-handler is a handler of the original POP for tests: input by environment, output by two annotations of
// its own pod. Its payload is its script:
//
//	steps, sleepMs      report EXECUTING this many times, with a pause before each report
//	log                 print this line
//	failUnlessProgress  report up to this percentage, then fail, unless an earlier attempt reached the percentage
//	fail                report COMPLETE/failed with this message
//	result              report COMPLETE/succeeded with this result (default: null)
//	exit                end with this code; without `fail` or `result`, report no end
package main

import (
	"bytes"
	"compress/zlib"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

const account = "/var/run/secrets/kubernetes.io/serviceaccount/"

type script struct {
	Steps              int             `json:"steps"`
	SleepMs            int             `json:"sleepMs"`
	Log                string          `json:"log"`
	Fail               *string         `json:"fail"`
	FailUnlessProgress *float64        `json:"failUnlessProgress"`
	Exit               *int            `json:"exit"`
	Result             json.RawMessage `json:"result"`
}

type event struct {
	Message string `json:"message"`
	Time    string `json:"time"`
}

type progress struct {
	State     string         `json:"processingState"`
	Message   string         `json:"processingStateMessage,omitempty"`
	Percent   float64        `json:"percentComplete"`
	Started   string         `json:"startedTime,omitempty"`
	Completed string         `json:"completedTime,omitempty"`
	Events    []event        `json:"diagnosticEvents,omitempty"`
	Params    map[string]any `json:"params,omitempty"`
}

func now() string { return time.Now().UTC().Format(time.RFC3339Nano) }

func payload() ([]byte, error) {
	if os.Getenv("POP_PAYLOAD_TYPE") != "compressedEnvVar" {
		return []byte(os.Getenv("PAYLOAD")), nil
	}
	var text strings.Builder
	for i := 0; ; i++ {
		chunk, ok := os.LookupEnv(fmt.Sprintf("POP_COMPRESSED_PAYLOAD_%d", i))
		if !ok {
			break
		}
		text.WriteString(chunk)
	}
	inflate, err := zlib.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(text.String())))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(inflate)
}

// reporter patches the annotations of the handler's own pod.
type reporter struct {
	url, token string
	client     *http.Client
}

func newReporter() (*reporter, error) {
	files := map[string]string{}
	for _, name := range []string{"token", "ca.crt", "namespace"} {
		content, err := os.ReadFile(account + name)
		if err != nil {
			return nil, err
		}
		files[name] = string(content)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(files["ca.crt"]))
	host := net.JoinHostPort(os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT"))
	url := "https://" + host + "/api/v1/namespaces/" + files["namespace"] + "/pods/" + os.Getenv("MY_POD_NAME")
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	return &reporter{url, files["token"], &http.Client{Transport: transport, Timeout: 10 * time.Second}}, nil
}

// send reports the progress, and with the end also the result. Three tries, as POP has them.
func (r *reporter) send(p progress, result json.RawMessage) (err error) {
	text, _ := json.Marshal(p)
	fmt.Println("progress:", string(text))
	annotations := map[string]string{"pop.report.progress": string(text)}
	if result != nil {
		annotations["pop.report.payload"] = string(result)
	}
	body, _ := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": annotations}})
	for try := 1; ; try++ {
		if err = r.patch(body); err == nil || try == 3 {
			return err
		}
		time.Sleep(2 * time.Second)
	}
}

func (r *reporter) patch(body []byte) error {
	request, err := http.NewRequest(http.MethodPatch, r.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+r.token)
	request.Header.Set("Content-Type", "application/merge-patch+json")
	answer, err := r.client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(answer.Body)
		return fmt.Errorf("PATCH %s: %s: %s", r.url, answer.Status, text)
	}
	return nil
}

func run(report *reporter) (exit int, err error) {
	p := progress{State: "EXECUTING", Started: now(), Params: map[string]any{
		"cid": os.Getenv("CID"), "agenda": os.Getenv("AGENDA_ID"), "operation": os.Getenv("OPERATION_NAME"),
		"customer": os.Getenv("CUSTOMER_ID"), "pod": os.Getenv("MY_POD_NAME"),
	}}
	end := func(result json.RawMessage, message, reason string) error {
		p.State, p.Message, p.Completed = "COMPLETE", message, now()
		if message == "succeeded" {
			p.Percent = 100
		} else {
			p.Events = append(p.Events, event{reason, now()})
		}
		return report.send(p, result)
	}
	var last progress
	if text := os.Getenv("LAST_PROGRESS"); text != "" {
		if err := json.Unmarshal([]byte(text), &last); err != nil {
			fmt.Fprintln(os.Stderr, "warning: LAST_PROGRESS:", err)
		}
	}
	p.Params["lastPercent"] = last.Percent
	var s script
	text, err := payload()
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err != nil {
		return 0, end(nil, "failed", "Failed to translate payload to script: "+err.Error())
	}
	if s.Log != "" {
		fmt.Println(s.Log)
	}
	short := s.FailUnlessProgress != nil && last.Percent < *s.FailUnlessProgress
	for step := 1; step <= s.Steps && !(short && p.Percent >= *s.FailUnlessProgress); step++ {
		time.Sleep(time.Duration(s.SleepMs) * time.Millisecond)
		p.Percent = float64(100 * step / (s.Steps + 1))
		if err := report.send(p, nil); err != nil {
			return 1, err
		}
	}
	if s.Exit != nil {
		exit = *s.Exit
	}
	switch {
	case short:
		return exit, end(nil, "failed", fmt.Sprintf("no earlier attempt reached %v percent", *s.FailUnlessProgress))
	case s.Fail != nil:
		return exit, end(nil, "failed", *s.Fail)
	case s.Exit != nil && s.Result == nil:
		return exit, nil
	case s.Result == nil:
		s.Result = json.RawMessage("null")
	}
	return exit, end(s.Result, "succeeded", "")
}

func main() {
	report, err := newReporter()
	exit := 1
	if err == nil {
		exit, err = run(report)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		exit = max(exit, 1)
	}
	fmt.Println("HandlerComplete")
	os.Exit(exit)
}
