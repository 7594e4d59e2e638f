package intake

import "encoding/xml"

// GeoReport v2, http://wiki.open311.org/GeoReport_v2/: XML and JSON of the same structs.

type serviceList struct {
	XMLName xml.Name       `xml:"services" json:"-"`
	Items   []serviceEntry `xml:"service"`
}

type serviceEntry struct {
	Code        string `xml:"service_code" json:"service_code"`
	Name        string `xml:"service_name" json:"service_name"`
	Description string `xml:"description" json:"description"`
	Metadata    bool   `xml:"metadata" json:"metadata"`
	Type        string `xml:"type" json:"type"`
	Keywords    string `xml:"keywords" json:"keywords"`
	Group       string `xml:"group" json:"group"`
}

type serviceDefinition struct {
	XMLName    xml.Name    `xml:"service_definition" json:"-"`
	Code       string      `xml:"service_code" json:"service_code"`
	Attributes []attribute `xml:"attributes>attribute" json:"attributes"`
}

type attribute struct {
	Variable    bool     `xml:"variable" json:"variable"`
	Code        string   `xml:"code" json:"code"`
	Kind        string   `xml:"datatype" json:"datatype"`
	Required    bool     `xml:"required" json:"required"`
	Hint        string   `xml:"datatype_description" json:"datatype_description"`
	Order       int      `xml:"order" json:"order"`
	Description string   `xml:"description" json:"description"`
	Values      []choice `xml:"values>value,omitempty" json:"values,omitempty"`
}

type choice struct {
	Key  string `xml:"key" json:"key"`
	Name string `xml:"name" json:"name"`
}

type receiptList struct {
	XMLName xml.Name       `xml:"service_requests" json:"-"`
	Items   []receiptEntry `xml:"request"`
}

type receiptEntry struct {
	Number  string `xml:"service_request_id,omitempty" json:"service_request_id,omitempty"`
	Token   string `xml:"token,omitempty" json:"token,omitempty"`
	Notice  string `xml:"service_notice" json:"service_notice"`
	Account string `xml:"account_id" json:"account_id"`
}

type requestList struct {
	XMLName xml.Name       `xml:"service_requests" json:"-"`
	Items   []requestEntry `xml:"request"`
}

type requestEntry struct {
	Number      string   `xml:"service_request_id" json:"service_request_id"`
	Status      string   `xml:"status" json:"status"`
	StatusNotes string   `xml:"status_notes" json:"status_notes"`
	Service     string   `xml:"service_name" json:"service_name"`
	Code        string   `xml:"service_code" json:"service_code"`
	Description string   `xml:"description" json:"description"`
	Agency      string   `xml:"agency_responsible" json:"agency_responsible"`
	Notice      string   `xml:"service_notice" json:"service_notice"`
	Requested   string   `xml:"requested_datetime" json:"requested_datetime"`
	Updated     string   `xml:"updated_datetime" json:"updated_datetime"`
	Expected    string   `xml:"expected_datetime" json:"expected_datetime"`
	Address     string   `xml:"address" json:"address"`
	AddressID   string   `xml:"address_id" json:"address_id"`
	Zip         string   `xml:"zipcode" json:"zipcode"`
	Lat         *float64 `xml:"lat" json:"lat"`
	Long        *float64 `xml:"long" json:"long"`
	MediaURL    string   `xml:"media_url" json:"media_url"`
}

type tokenList struct {
	XMLName xml.Name     `xml:"service_requests" json:"-"`
	Items   []tokenEntry `xml:"request"`
}

type tokenEntry struct {
	Number string `xml:"service_request_id" json:"service_request_id"`
	Token  string `xml:"token" json:"token"`
}

type errorList struct {
	XMLName xml.Name     `xml:"errors" json:"-"`
	Items   []errorEntry `xml:"error"`
}

type errorEntry struct {
	Code        int    `xml:"code" json:"code"`
	Description string `xml:"description" json:"description"`
}

type discovery struct {
	XMLName    xml.Name   `xml:"discovery" json:"-"`
	Changeset  string     `xml:"changeset" json:"changeset"`
	Contact    string     `xml:"contact" json:"contact"`
	KeyService string     `xml:"key_service" json:"key_service"`
	Endpoints  []endpoint `xml:"endpoints>endpoint" json:"endpoints"`
}

type endpoint struct {
	Specification string   `xml:"specification" json:"specification"`
	URL           string   `xml:"url" json:"url"`
	Changeset     string   `xml:"changeset" json:"changeset"`
	Type          string   `xml:"type" json:"type"`
	Formats       []string `xml:"formats>format" json:"formats"`
}
