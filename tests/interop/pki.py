"""An authority and its certificates, made when a test asks for them."""
import pathlib
import subprocess


class Pki:
    def __init__(self, directory, name="authority"):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.ca = self.directory / f"{name}.pem"
        self._ca_key = self.directory / f"{name}.key"
        self._openssl("req", "-x509", *self._new_key(self._ca_key), "-out", self.ca, "-days", "60", "-subj", f"/CN={name}")

    def _openssl(self, *arguments):
        run = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, cwd=self.directory,
                             stdin=subprocess.DEVNULL)
        if run.returncode != 0:
            raise RuntimeError(f"openssl {' '.join(map(str, arguments))}: {run.stderr}")

    @staticmethod
    def _new_key(path):
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", path]

    def files(self, name):
        return self.directory / f"{name}.pem", self.directory / f"{name}.key"

    def make(self, name, names, expired=False):
        """`names` is a subjectAltName as openssl writes it: "DNS:sip.example.com,IP:127.0.0.1"."""
        certificate, key = self.files(name)
        request, extensions = self.directory / f"{name}.csr", self.directory / f"{name}.ext"
        extensions.write_text(f"subjectAltName={names}\nbasicConstraints=critical,CA:FALSE\n")
        self._openssl("req", *self._new_key(key), "-out", request, "-subj", f"/CN={name}")
        if expired:
            dates = ["-startdate", "20200101000000Z", "-enddate", "20200201000000Z"]
        else:
            dates = ["-days", "60"]
        database = self.directory / f"{name}.index"
        database.write_text("")
        serial = self.directory / f"{name}.serial"
        serial.write_text("01\n")
        config = self.directory / f"{name}.cnf"
        config.write_text(f"[ca]\ndefault_ca = this\n[this]\ndatabase = {database}\nserial = {serial}\n"
                          f"new_certs_dir = {self.directory}\ndefault_md = sha256\npolicy = any\n"
                          "unique_subject = no\n[any]\ncommonName = supplied\n")
        self._openssl("ca", "-batch", "-notext", "-config", config, "-cert", self.ca, "-keyfile", self._ca_key, "-in", request,
                      "-out", certificate, "-extfile", extensions, *dates)
        return certificate, key
