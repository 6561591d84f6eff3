import Diagnostics
import GoCompat
import OCI
import Testing

@Suite struct GoTemplateTests {
    static let image = """
        {"Id":"sha256:0123456789abcdef","RepoTags":["app:1","app:2"],"Size":3960000,"Ratio":0.5,"Empty":"","Nothing":null,
         "Config":{"Env":["A=1","B=2"],"Labels":{"b":"two","a":"one","x.y/z":"dotted"},"Cmd":null,"User":"me & <you>"},
         "Flag":true,"Off":false,"None":[],"Names":[{"N":"p"},{"N":"q"}]}
        """

    @Test(arguments: [
        ("", ""),
        ("plain", "plain"),
        ("{{.Id}}", "sha256:0123456789abcdef"),
        ("{{ .Size }}", "3960000"),
        ("{{.Config.User}}", "me & <you>"),
        ("{{json .Config.User}}", "\"me & <you>\""),
        ("{{.RepoTags}}", "[app:1 app:2]"),
        ("{{.Config.Labels}}", "map[a:one b:two x.y/z:dotted]"),
        ("{{json .RepoTags}}", "[\"app:1\",\"app:2\"]"),
        ("{{.RepoTags | json}}", "[\"app:1\",\"app:2\"]"),
        ("{{.Nothing}}", "<no value>"),
        ("{{json .Nothing}}", "null"),
        ("{{.Flag}}/{{.Off}}/{{.Ratio}}", "true/false/0.5"),
        ("{{index .RepoTags 0}}", "app:1"),
        ("{{index .RepoTags 1 | upper}}", "APP:2"),
        ("{{index .Config.Labels \"x.y/z\"}}", "dotted"),
        ("{{index .Config.Labels `a`}}", "one"),
        ("{{index .Config.Labels \"missing\"}}", ""),
        ("{{index .Config.Cmd \"x\"}}", ""),
        ("{{index .Names 1}}", "map[N:q]"),
        ("{{(index .Names 1).N}}", "q"),
        ("{{len .RepoTags}} {{len .Id}} {{len .Config.Labels}}", "2 23 3"),
        ("{{join .RepoTags \", \"}}", "app:1, app:2"),
        ("{{split .Id \":\"}}", "[sha256 0123456789abcdef]"),
        ("{{index (split .Id \":\") 1}}", "0123456789abcdef"),
        ("{{slice .Id 7 19}}", "0123456789ab"),
        ("{{upper \"a\"}}{{lower \"B\"}}{{title \"hello big world\"}}", "AbHello Big World"),
        ("{{pad \"x\" 1 2}}|{{truncate .Id 6}}", " x  |sha256"),
        (
            "{{printf \"%s has %d bytes, %5.1f%%\" .Id .Size .Ratio}}",
            "sha256:0123456789abcdef has 3960000 bytes,   0.5%"
        ),
        (
            "{{printf \"%-6s|%6s|%06d|%x|%q|%v|%t\" \"ab\" \"cd\" 42 255 \"q\" .RepoTags .Flag}}",
            "ab    |    cd|000042|ff|\"q\"|[app:1 app:2]|true"
        ),
        ("{{printf \"%d %s\" \"x\"}}", "%!d(string=x) %!s(MISSING)"),
        ("{{print 1 2 \"a\" \"b\" 3}}", "1 2ab3"),
        ("{{println .Size}}", "3960000\n"),
        ("{{range .RepoTags}}<{{.}}>{{end}}", "<app:1><app:2>"),
        ("{{range $i, $t := .RepoTags}}{{$i}}={{$t}} {{end}}", "0=app:1 1=app:2 "),
        ("{{range $k, $v := .Config.Labels}}{{$k}}:{{$v}};{{end}}", "a:one;b:two;x.y/z:dotted;"),
        ("{{range .None}}x{{else}}none{{end}}", "none"),
        ("{{range .Nothing}}x{{else}}none{{end}}", "none"),
        ("{{range .Names}}{{.N}}{{$.Size}} {{end}}", "p3960000 q3960000 "),
        ("{{range .RepoTags}}{{if eq . \"app:2\"}}{{break}}{{end}}{{.}}{{end}}", "app:1"),
        ("{{range .RepoTags}}{{if eq . \"app:1\"}}{{continue}}{{end}}{{.}}{{end}}", "app:2"),
        ("{{if .Flag}}yes{{else}}no{{end}}", "yes"),
        ("{{if .Empty}}a{{else if .Off}}b{{else if .Flag}}c{{else}}d{{end}}", "c"),
        ("{{if and .Flag (not .Off)}}both{{end}}", "both"),
        ("{{if or .Off .Empty}}x{{else}}y{{end}}", "y"),
        ("{{or .Empty \"default\"}}", "default"),
        ("{{with .Config}}{{.User}}{{end}}", "me & <you>"),
        ("{{with .Empty}}x{{else}}{{.Size}}{{end}}", "3960000"),
        ("{{with $c := .Config}}{{$c.User}}{{end}}", "me & <you>"),
        ("{{$x := 1}}{{if .Flag}}{{$x = 2}}{{end}}{{$x}}", "2"),
        (
            "{{eq .Size 3960000}} {{ne .Id \"x\"}} {{eq 1 2 1}} {{lt 1 2}} {{ge \"b\" \"a\"}} {{gt 1.5 1}} {{le 2 2}}",
            "true true true true true true true"
        ),
        ("a {{- .Size -}} b", "a3960000b"),
        ("a {{/* a comment */}} b{{- /* trimmed */ -}} c", "a  bc"),
        ("{{\"quoted \\\"text\\\"\\n\"}}", "quoted \"text\"\n"),
        (#"{{"\a\v\x41\102\u00e9\U0001F600\\"}}"#, "\u{7}\u{B}ABé\u{1F600}\\"),
        (#"{{printf "%q" "a\x01\u00a0é\n"}}"#, #""a\x01\u00a0é\n""#),
        ("{{printf \"%.12f %.0f %f\" 100000000000000.5 2.5 0}}", "100000000000000.500000000000 2 0.000000"),
        ("{{true}}{{-3}}{{1.5}}", "true-31.5"),
        ("{{.Id}}\t{{.Size}}", "sha256:0123456789abcdef\t3960000"),
        ("} }} {", "} }} {"),
    ])
    func renders(_ format: String, _ expected: String) throws {
        #expect(try GoTemplate(format: format).render(JSON(parsing: Self.image)) == expected)
    }

    /// The same texts come from docker for an image and a container without these fields.
    @Test(arguments: [
        ("{{.Config.User}}", ""), ("{{.Config.WorkingDir}}|{{.Parent}}", "|"), ("{{.Config.Entrypoint}}", "[]"),
        ("{{json .Config.Entrypoint}}", "null"), ("{{.Config.Volumes}}", "map[]"), ("{{.Config.Cmd}}", "[x]"),
        ("{{json .Config.Volumes}}", "null"), ("{{.Config.Healthcheck}}", "<nil>"),
        ("{{.Config.Labels.absent}}", "<no value>"), ("{{.Config.Labels.a}}", "b"),
        ("{{if .Config.User}}u{{else}}root{{end}}", "root"), ("{{range .Config.OnBuild}}x{{end}}", ""),
        ("{{index .Config.Labels \"none\"}}", ""), ("{{len .Config.Labels}}", "1"),
    ])
    func aFieldThatAnImageLacksHasTheZeroOfItsType(_ format: String, _ expected: String) throws {
        let image = try JSON(parsing: #"{"Id":"x","Config":{"Cmd":["x"],"Labels":{"a":"b"}}}"#)
        #expect(try GoTemplate(format: format).render(image.completed(with: DockerTypes.image)) == expected)
    }

    /// Docker prints the fields of a structure without their names.
    @Test(arguments: [
        ("{{.Mounts}}", "[{bind  /a /b  ro false } { v  /c   true }]"),
        ("{{range .Mounts}}<{{.Name}}>{{end}}", "<><v>"),
        ("{{.NetworkSettings.Ports}}", "map[80/tcp:[{0.0.0.0 8080}]]"), ("{{.HostConfig.PidsLimit}}", "<nil>"),
        ("{{.HostConfig.Devices}}{{.HostConfig.CapAdd}}{{.HostConfig.OomScoreAdj}}", "[][]0"),
        ("{{.GraphDriver.Data.LowerDir}}", "<no value>"), ("{{json .HostConfig.MemorySwappiness}}", "null"),
    ])
    func aContainerHasTheStructuresOfDocker(_ format: String, _ expected: String) throws {
        let container = try JSON(
            parsing: #"""
                {"Mounts":[{"Type":"bind","Source":"/a","Destination":"/b","Mode":"ro","RW":false},
                 {"Name":"v","Destination":"/c","RW":true}],"GraphDriver":{"Name":"o","Data":null},
                 "NetworkSettings":{"Ports":{"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"8080"}]}},
                 "HostConfig":{"PidsLimit":null,"CapAdd":null,"Devices":[]}}
                """#)
        #expect(try GoTemplate(format: format).render(container.completed(with: DockerTypes.container)) == expected)
    }

    @Test(arguments: [
        ("{{.Manifest.Digest}}", "d"), ("{{(index .Manifest.Manifests 0).Platform.OS}}", "linux"), ("{{.Name}}", "n"),
        ("{{json .Manifest.Manifests}}", #"[{"platform":{"os":"linux"}}]"#),
    ])
    func aSpecifiedDocumentIsReadByGosFields(_ format: String, _ expected: String) throws {
        let index = try JSON(
            parsing: #"{"name":"n","manifest":{"digest":"d","manifests":[{"platform":{"os":"linux"}}]}}"#)
        #expect(try GoTemplate(format: format).render(index) == expected)
    }

    @Test(arguments: [
        ("{{.Label \"team\"}}", "web"), ("{{.Label \"none\"}}|", "|"),
        ("{{range .L}}{{$.Label \"team\"}}{{end}}", "web"),
        ("{{if eq (.Label \"team\") \"web\"}}y{{end}}", "y"),
    ])
    func aRowHasTheMethodLabel(_ format: String, _ expected: String) throws {
        let row = JSON.object(("L", .array([.integer(1)])))
        #expect(try GoTemplate(parsing: format).render(row, labels: ["team": "web"]) == expected)
    }

    @Test func jsonAloneIsTheWholeValue() throws {
        let value = JSON.object(("b", .string("<&>\u{2028}\\u003c")), ("a", .integer(1)))
        #expect(try GoTemplate(format: "json").render(value) == #"{"b":"<&>\u2028\\u003c","a":1}"#)
    }

    @Test(arguments: [
        ("{{.Id", ":1: unclosed action"),
        ("{{", ":1: unclosed action"),
        ("{{}}", ":1: missing value for command"),
        ("{{.Id}", ":1: unexpected \"}\" in operand"),
        ("a\nb\n{{nope .}}", ":3: function \"nope\" not defined"),
        ("{{end}}", ":1: unexpected {{end}}"),
        ("{{else}}", ":1: unexpected {{else}}"),
        ("{{if .Id}}", ":1: unexpected EOF"),
        ("{{if}}x{{end}}", ":1: missing value for command"),
        ("{{range .Names}}{{else}}{{else}}{{end}}", ":1: expected end; found {{else}}"),
        ("{{range .Names}}{{else with}}{{end}}", ":1: unexpected {{else with}}"),
        ("{{break}}", ":1: {{break}} outside {{range}}"),
        ("{{define \"x\"}}{{end}}", ":1: {{define}} is not supported in formats"),
        ("{{\"abc}}", ":1: unterminated quoted string"),
        ("{{`abc}}", ":1: unterminated raw quoted string"),
        ("{{\"\\q\"}}", ":1: invalid syntax"),
        (#"{{"\/"}}"#, ":1: invalid syntax"),
        (#"{{"\x4"}}"#, ":1: invalid syntax"),
        (#"{{"\400"}}"#, ":1: invalid syntax"),
        (#"{{"\ud800"}}"#, ":1: invalid syntax"),
        (#"{{"\u+123"}}"#, ":1: invalid syntax"),
        ("{{1x}}", ":1: bad number syntax: \"1x\""),
        ("{{(.Id}}", ":1: unclosed left paren"),
        ("{{.Id)}}", ":1: unexpected \")\" in operand"),
        ("{{.Id | \"x\"}}", ":1: non executable command in pipeline stage: \"x\""),
        ("{{.Id .Size}}", ":1: can't give argument to non-function .Id"),
        ("{{$x}}", ":1: undefined variable \"$x\""),
        ("{{if .Flag}}{{$x := 1}}{{end}}{{$x}}", ":1: undefined variable \"$x\""),
        ("{{/* open}}", ":1: unclosed comment"),
        ("{{.Id,}}", ":1: unexpected \",\" in operand"),
        ("{{.}}{{é}}", ":1: function \"é\" not defined"),
    ])
    func refusesBadSyntax(_ format: String, _ message: String) {
        let error = #expect(throws: TemplateError.self) { try GoTemplate(format: format) }
        #expect(error?.code == .syntax)
        #expect(error?.message == "template parsing error: template: \(message)")
    }

    @Test(arguments: [
        ("{{.Foo}}", ":1:2: executing \"\" at <.Foo>: map has no entry for key \"Foo\""),
        ("{{.Config.Hostname}}", ":1:9: executing \"\" at <.Config.Hostname>: map has no entry for key \"Hostname\""),
        ("a\n {{.Nothing.X}}", ":2:11: executing \"\" at <.Nothing.X>: nil pointer evaluating interface {}.X"),
        ("{{.Id.X}}", ":1:5: executing \"\" at <.Id.X>: can't evaluate field X in type string"),
        ("{{index .RepoTags 5}}", ":1:2: executing \"\" at <index>: error calling index: index out of range: 5"),
        ("{{len .Size}}", ":1:2: executing \"\" at <len>: error calling len: len of type int"),
        (
            "{{upper .Size}}",
            ":1:2: executing \"\" at <upper>: error calling upper: wrong type for value; expected string; got int"
        ),
        ("{{upper}}", ":1:2: executing \"\" at <upper>: error calling upper: wrong number of args: want 1 got 0"),
        ("{{range .Size}}{{end}}", ":1:8: executing \"\" at <.Size>: range can't iterate over 3960000"),
        ("{{lt .Id 1}}", ":1:2: executing \"\" at <lt>: error calling lt: incompatible types for comparison"),
        ("{{nil}}", ":1:2: executing \"\" at <nil>: nil is not a command"),
        ("{{slice .Id 5 99}}", ":1:2: executing \"\" at <slice>: error calling slice: index out of range: 99"),
        (
            "{{join .Id \",\"}}",
            ":1:2: executing \"\" at <join>: error calling join: wrong type for value; expected []string; got string"
        ),
    ])
    func failsClearly(_ format: String, _ message: String) throws {
        let template = try GoTemplate(format: format)
        let value = try JSON(parsing: Self.image)
        let error = #expect(throws: TemplateError.self) { try template.render(value) }
        #expect(error?.code == .execution)
        #expect(error?.message == "template parsing error: template: \(message)")
    }

    @Test func unknownFieldSaysWhichThereAre() throws {
        let template = try GoTemplate(parsing: "{{.Sise}}")
        let error = #expect(throws: TemplateError.self) {
            try template.render(.object(("ID", .string("1")), ("Size", .string("2"))))
        }
        #expect(error?.hint == "Use one of .ID .Size")
    }

    @Test func deepNestingIsAnError() {
        for format in [
            String(repeating: "{{(", count: 1) + String(repeating: "(", count: 100_000),
            String(repeating: "{{if 1}}", count: 100_000),
            "{{if 1}}" + String(repeating: "{{else if 1}}", count: 100_000) + "{{end}}",
        ] {
            #expect(throws: TemplateError.self) { try GoTemplate(parsing: format) }
        }
    }

    @Test func randomTemplatesDoNotCrash() throws {
        let parts = [
            "{{", "}}", "{{-  ", " -}}", ".", ".Id", "$", "$x", ":=", "=", "|", "(", ")", "\"", "`", "if", "else",
            "end",
            "range", "with", " ", ",", "index", "json", "printf", "%d", "1", "-", "é", "/*", "*/", "break", "nil", "\n",
        ]
        let value = try JSON(parsing: Self.image)
        var generator = SystemRandomNumberGenerator()
        var rendered = 0
        for _ in 0..<20_000 {
            let format = (0..<Int.random(in: 1...12, using: &generator)).map { _ in
                parts.randomElement(using: &generator) ?? ""
            }.joined()
            if (try? GoTemplate(parsing: format).render(value)) != nil { rendered += 1 }
        }
        #expect(rendered > 0)
    }
}
