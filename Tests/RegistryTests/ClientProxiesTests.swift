import OCI
import Testing

@testable import Logins

@Suite struct ClientProxiesTests {
    @Test(arguments: [
        (#"{"proxies":{"default":{"httpProxy":"h"}}}"#, [], ["HTTP_PROXY=h", "http_proxy=h"]),
        (
            #"{"proxies":{"default":{"httpsProxy":"s","noProxy":"n","ftpProxy":"f","allProxy":"a","httpProxy":""}}}"#,
            [],
            [
                "HTTPS_PROXY=s", "https_proxy=s", "NO_PROXY=n", "no_proxy=n", "FTP_PROXY=f", "ftp_proxy=f",
                "ALL_PROXY=a",
                "all_proxy=a",
            ]
        ),
        (#"{"proxies":{"default":{"httpProxy":"h"}}}"#, ["http_proxy"], ["HTTP_PROXY=h"]),
        (#"{"proxies":{"tcp://far":{"httpProxy":"h"}}}"#, [], []), (#"{"proxies":{"default":7}}"#, [], []),
        (#"{"proxies":{"default":{"httpProxy":7}}}"#, [], []), ("[]", [], []), ("{}", [], []),
    ])
    func theFileGivesVariables(_ file: String, _ given: [String], _ expected: [String]) throws {
        let variables = ClientProxies.variables(of: try JSON(parsing: file), given: Set(given))
        #expect(variables.map { "\($0.name)=\($0.value)" } == expected)
    }

    @Test(arguments: [
        (["DOCKER_CONFIG": "/c", "HOME": "/h"], "/c/config.json"), (["HOME": "/h"], "/h/.docker/config.json"),
        (["DOCKER_CONFIG": "", "HOME": "/h"], "/h/.docker/config.json"), (["HOME": ""], nil), ([:], nil),
    ])
    func theFileIsTheOneOfDocker(_ environment: [String: String], _ path: String?) {
        #expect(CredentialFiles.dockerFile(environment: environment) == path)
    }

    @Test func aFileThatIsNotThereHasNone() {
        #expect(ClientProxies.variables(environment: ["DOCKER_CONFIG": "/nonexistent"], given: []).isEmpty)
    }
}
