// Command dns answers for the services of the test cluster: NAME.NAMESPACE.svc.cluster.local, and with a host name
// before it for the pods of a headless service. All other names do not exist, so no query leaves the machine.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

const (
	domain = "svc.cluster.local"
	// Seconds for which a client may keep an answer.
	ttl = 1

	typeA    = 1
	failure  = 2 // SERVFAIL: the API server gave no answer
	notFound = 3 // NXDOMAIN
	refused  = 4 // NOTIMP
)

var errNotFound = errors.New("not found")

// kubernetes asks the API server.
type kubernetes struct {
	server string
	client *http.Client
}

func (k kubernetes) list(path, selector string, into any) error {
	answer, err := k.client.Get(k.server + path + "?" + selector)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", path, answer.Status)
	}
	return json.NewDecoder(answer.Body).Decode(into)
}

// addresses resolves labels such as ["pop", "default"] or ["pop-0", "pop", "default"], without the domain.
func (k kubernetes) addresses(labels []string) ([]string, error) {
	host := ""
	if len(labels) == 3 {
		host, labels = labels[0], labels[1:]
	}
	if len(labels) != 2 {
		return nil, errNotFound
	}
	service, namespace := labels[0], url.PathEscape(labels[1])
	var services struct {
		Items []struct{ Spec struct{ ClusterIP string } }
	}
	selector := "fieldSelector=" + url.QueryEscape("metadata.name="+service)
	if err := k.list("/api/v1/namespaces/"+namespace+"/services", selector, &services); err != nil {
		return nil, err
	}
	if len(services.Items) == 0 {
		return nil, errNotFound
	}
	if ip := services.Items[0].Spec.ClusterIP; ip != "None" && host == "" {
		return []string{ip}, nil
	}
	var slices struct {
		Items []struct {
			Endpoints []struct {
				Addresses []string
				Hostname  string
			}
		}
	}
	selector = "labelSelector=" + url.QueryEscape("kubernetes.io/service-name="+service)
	if err := k.list("/apis/discovery.k8s.io/v1/namespaces/"+namespace+"/endpointslices", selector, &slices); err != nil {
		return nil, err
	}
	var found []string
	for _, slice := range slices.Items {
		for _, endpoint := range slice.Endpoints {
			if host == "" || endpoint.Hostname == host {
				found = append(found, endpoint.Addresses...)
			}
		}
	}
	if len(found) == 0 {
		return nil, errNotFound
	}
	return found, nil
}

// answer makes the response to a message with one question; nil where the message is no such query.
func answer(query []byte, resolve func([]string) ([]string, error)) []byte {
	if len(query) < 12 || query[2]&0x80 != 0 || binary.BigEndian.Uint16(query[4:]) != 1 {
		return nil
	}
	var labels []string
	at := 12
	for at < len(query) && query[at] != 0 {
		length := int(query[at])
		if length > 63 || at+1+length > len(query) {
			return nil
		}
		labels = append(labels, strings.ToLower(string(query[at+1:at+1+length])))
		at += 1 + length
	}
	if at+5 > len(query) {
		return nil
	}
	kind := binary.BigEndian.Uint16(query[at+1:])
	question := query[12 : at+5]

	// The identifier and the question come back. Flags: response, authoritative, recursion as desired and available.
	response := append([]byte{}, query[:2]...)
	response = append(response, 0x84|query[2]&0x79, 0x80, 0, 1, 0, 0, 0, 0, 0, 0)
	response = append(response, question...)
	name := strings.Join(labels, ".")
	if query[2]&0x78 != 0 {
		response[3] |= refused
		return response
	}
	if !strings.HasSuffix(name, "."+domain) {
		response[3] |= notFound
		return response
	}
	found, err := resolve(strings.Split(strings.TrimSuffix(name, "."+domain), "."))
	switch {
	case errors.Is(err, errNotFound):
		response[3] |= notFound
	case err != nil:
		log.Printf("%s: %v", name, err)
		response[3] |= failure
	case kind == typeA: // other types of an existing name: no records
		for _, address := range found {
			ip := net.ParseIP(address).To4()
			if ip == nil {
				continue
			}
			response[7]++
			response = append(response, 0xc0, 12, 0, typeA, 0, 1, 0, 0, 0, ttl, 0, 4)
			response = append(response, ip...)
		}
	}
	return response
}

func serveTCP(listener net.Listener, resolve func([]string) ([]string, error)) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go func() {
			defer connection.Close()
			connection.SetDeadline(time.Now().Add(10 * time.Second))
			for {
				var length [2]byte
				if _, err := io.ReadFull(connection, length[:]); err != nil {
					return
				}
				query := make([]byte, binary.BigEndian.Uint16(length[:]))
				if _, err := io.ReadFull(connection, query); err != nil {
					return
				}
				response := answer(query, resolve)
				connection.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(response))), response...))
			}
		}()
	}
}

func main() {
	listen := flag.String("listen", "127.0.0.1:10053", "address, for UDP and TCP")
	server := flag.String("server", "", "URL of the API server")
	authority := flag.String("authority", "", "file with the authority's certificate")
	certificate := flag.String("certificate", "", "file with the client's certificate")
	key := flag.String("key", "", "file with the client's key")
	flag.Parse()

	pem, err := os.ReadFile(*authority)
	if err != nil {
		log.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(*certificate, *key)
	if err != nil {
		log.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}}}
	api := kubernetes{*server, &http.Client{Transport: transport, Timeout: 3 * time.Second}}

	packets, err := net.ListenPacket("udp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	go serveTCP(listener, api.addresses)
	for {
		query := make([]byte, 1500)
		length, from, err := packets.ReadFrom(query)
		if err != nil {
			log.Fatal(err)
		}
		go func() {
			if response := answer(query[:length], api.addresses); response != nil {
				packets.WriteTo(response, from)
			}
		}()
	}
}
